"""Exposures name each dataset that is read where they say it is."""

from __future__ import annotations

import re

import pytest
import yaml

from exporter.catalogue.file import SQL
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
    """Through the catalogue's own views and macros, too."""
    read: set[str] = set()
    text = (PROJECT / "docs/example_queries.sql").read_text(encoding="utf-8")
    for more in (text, SQL.read_text(encoding="utf-8")):
        code = re.sub(r"--.*|'[^']*'", "", more)
        read |= set(re.findall(r"\b(?:from|join) (\w+)", code))
    assert load_datasets().keys() & read == depends_on("example_queries")


@pytest.mark.parametrize(
    "name", ["nightly_summary", "verification_report", "catalogue"]
)
def test_what_tells_of_all_files_depends_on_each_dataset(name: str) -> None:
    assert depends_on(name) == set(load_datasets())
