"""Exposures name each dataset and mart that is read where they say it is."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path

import pytest
import yaml

from exporter.catalogue.file import SQL
from exporter.contracts.datasets import dataset_names
from exporter.contracts.marts import mart_names
from ingest.root import PROJECT

PUBLISHED = {*dataset_names(), *mart_names()}


def depends_on(name: str) -> set[str]:
    text = (PROJECT / "models/_exposures.yml").read_text(encoding="utf-8")
    (exposure,) = (
        exposure
        for exposure in yaml.safe_load(text)["exposures"]
        if exposure["name"] == name
    )
    return set(re.findall(r"ref\('(\w+)'\)", " ".join(exposure["depends_on"])))


def read_by(queries: Iterable[str]) -> set[str]:
    """What is published among the relations that some SQL names."""
    found: set[str] = set()
    for query in queries:
        code = re.sub(r"--.*|'[^'\n]*'", "", query)
        found |= set(re.findall(r"\b(?:from|join)\s+(\w+)", code, re.IGNORECASE))
    return found & PUBLISHED


def texts(paths: Iterable[Path]) -> list[str]:
    return [path.read_text(encoding="utf-8") for path in paths]


def test_the_example_queries_depend_on_what_they_read() -> None:
    """Through the catalogue's own views and macros, too."""
    queries = texts([PROJECT / "docs/example_queries.sql", SQL])
    assert read_by(queries) == depends_on("example_queries")


def test_the_dashboard_depends_on_what_its_answers_read() -> None:
    answers = texts((PROJECT / "exporter/answers").rglob("*.sql"))
    assert read_by(answers) == depends_on("dashboard")


def test_grafana_depends_on_what_its_panels_read() -> None:
    def strings(value: object) -> Iterable[str]:
        if isinstance(value, str):
            yield value
        elif isinstance(value, dict | list):
            for part in value.values() if isinstance(value, dict) else value:
                yield from strings(part)

    boards = texts((PROJECT / "docs/grafana").rglob("*.json"))
    queries = [text for board in boards for text in strings(json.loads(board))]
    assert read_by(queries) == depends_on("grafana")


def test_the_catalogue_holds_all_that_is_published() -> None:
    assert depends_on("catalogue") == PUBLISHED


@pytest.mark.parametrize("name", ["nightly_summary", "verification_report"])
def test_what_tells_of_all_files_depends_on_each_dataset(name: str) -> None:
    assert depends_on(name) == set(dataset_names())
