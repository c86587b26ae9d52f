"""Exposures name each dataset that is read where they say it is."""

from __future__ import annotations

import fnmatch
import re
from datetime import date

import pytest
import yaml

from exporter.contracts.datasets import load_datasets
from ingest.root import PROJECT


def depends_on(name: str) -> set[str]:
    text = (PROJECT / "models/_exposures.yml").read_text(encoding="utf-8")
    (exposure,) = (
        exposure
        for exposure in yaml.safe_load(text)["exposures"]
        if exposure["name"] == name
    )
    return set(re.findall(r"ref\('(\w+)'\)", " ".join(exposure["depends_on"])))


def test_the_example_queries_depend_on_what_they_read() -> None:
    text = (PROJECT / "docs/example_queries.sql").read_text(encoding="utf-8")
    paths = re.findall(r"'([^' ]+/[^' ]*[.]parquet)'", text)
    assert len(paths) == text.count(".parquet'")
    read = {
        name
        for name, dataset in load_datasets().items()
        for path in paths
        if fnmatch.fnmatchcase(dataset.file(date(2025, 1, 1)), path)
    }
    assert read == depends_on("example_queries")


@pytest.mark.parametrize("name", ["nightly_summary", "verification_report"])
def test_what_tells_of_all_files_depends_on_each_dataset(name: str) -> None:
    assert depends_on(name) == set(load_datasets())
