"""Whoever finds the data is told how old its answers are."""

from __future__ import annotations

import json

import pytest

from exporter.reporting.guide import render
from ingest.root import PROJECT


def read(name: str) -> str:
    return (PROJECT / name).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "text",
    [
        read("README.md"),
        read("models/overview.md"),
        render(json.loads(read("docs/parquet_schema.json"))),
    ],
    ids=["README.md", "overview.md", "PARQUET_README.md"],
)
def test_answers_are_said_to_be_as_old_as_the_last_run(text: str) -> None:
    words = " ".join(text.split())
    assert "Answers are as old as the last run" in words
    assert "`ops-atomic agents install --every 10m`" in words
