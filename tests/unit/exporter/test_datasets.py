"""Contracts, and the code that shapes each dataset."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import pytest

from exporter.datasets import choose, load_datasets
from ingest.root import PROJECT


def test_the_eight_datasets() -> None:
    assert list(load_datasets()) == [
        "heartbeat_checks", "index_advisor", "ops_atomic", "optimization_summary",
        "query_patterns", "query_perf", "rejected_records", "schema_drift",
    ]  # fmt: skip


def test_where_a_day_is_published() -> None:
    query_perf = load_datasets()["query_perf"]
    path = query_perf.file(date(2025, 1, 2))
    assert path == (
        "knowledge/optimize/parquet/query_perf/year=2025/month=01/"
        "query_perf_20250102.parquet"
    )
    assert query_perf.folder == "knowledge/optimize/parquet/query_perf"
    assert query_perf.glob.endswith("query_perf/year=*/month=*/query_perf_*.parquet")
    match = query_perf.name_pattern.fullmatch("query_perf_20250102.parquet")
    assert match
    assert match[1] == "20250102"
    assert query_perf.file(date(33, 1, 2)).endswith("query_perf_00330102.parquet")


def test_rejects_and_drift_always_come_along() -> None:
    datasets = load_datasets()
    assert choose(datasets, ()) == datasets
    assert set(choose(datasets, ["query_perf"])) == {
        "query_perf", "rejected_records", "schema_drift",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("changed", "stale"),
    [
        ("models/marts/exports/query_perf.sql", {"query_perf"}),
        ("models/intermediate/int_queries.sql", {"query_perf", "rejected_records"}),
        ("seeds/monitored_checks.csv", {"ops_atomic", "rejected_records"}),
        ("seeds/known_columns.csv", {"schema_drift"}),
        (
            "ingest/sources/telemetry.py",
            {"optimization_summary", "rejected_records"},
        ),
        ("macros/daily_parquet.sql", set(load_datasets())),
        ("seeds/masks.csv", set(load_datasets())),
        ("README.md", set()),
    ],
)
def test_what_makes_days_stale(changed: str, stale: set[str], tmp_path: Path) -> None:
    for name in ("models", "macros", "seeds", "ingest"):
        shutil.copytree(PROJECT / name, tmp_path / name)
    before = load_datasets(tmp_path)
    assert before == load_datasets()
    with (tmp_path / changed).open("a", encoding="utf-8") as stream:
        stream.write("\n")
    if changed == "macros/daily_parquet.sql":
        text = (tmp_path / changed).read_text("utf-8")
        (tmp_path / changed).write_text(text.replace("snappy", "zstd"), "utf-8")
    after = load_datasets(tmp_path)
    assert {
        name
        for name in before
        if before[name].model_fingerprint != after[name].model_fingerprint
    } == stale
