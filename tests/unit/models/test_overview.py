"""The overview leads to each dataset and mart, and to nothing else."""

from __future__ import annotations

import re

from exporter.contracts.datasets import dataset_names
from exporter.contracts.marts import mart_names
from ingest.root import PROJECT


def test_the_overview_leads_to_every_dataset_and_mart() -> None:
    text = (PROJECT / "models/overview.md").read_text(encoding="utf-8")
    links = re.findall(r"\[(\w+)\]\(#!/model/model\.ops_atomic_reports\.(\w+)\)", text)
    assert text.count("](#!") == len(links)
    assert all(shown == name for shown, name in links)
    assert {name for _, name in links} == {*dataset_names(), *mart_names()}
