"""Columns and keys that come and go are noticed; the rest is exported."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import pytest

from tests import faults

DAY = "2025-10-28"
REPORTS = "g/reports"
DRIFT = "g/analytics/schema_drift/*.parquet"


def test_the_weekly_report_as_it_always_was_is_no_drift(tmp_path: Path) -> None:
    entry = {
        "pattern": "search", "samples": 3, "p50_weekly": 1, "p95_weekly": 2,
        "p99_weekly": 3,
    }  # fmt: skip
    report = {
        "week": "202543", "days_covered": 7, "total_patterns": 1,
        "top_slow_by_p95": [entry], "top_frequent_by_samples": [entry],
        "all_patterns": [entry],
    }  # fmt: skip
    name = f"{REPORTS}/query_perf_weekly_202543.json"
    faults.write(tmp_path / name, json.dumps(report))
    assert not faults.export(tmp_path).warnings.count("columns are")
    assert faults.rows(tmp_path, DRIFT) == []


@pytest.fixture(scope="module")
def drifted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, faults.Run]:
    """A root in which every source has changed its shape, after a run."""
    root = tmp_path_factory.mktemp("drift")
    beat = faults.heartbeat(f"{DAY}T01:00:00Z").replace(
        "**Duration:**", "**Host:** mini\n**Took:**"
    )
    faults.write(root / REPORTS / f"heartbeat_{DAY}_01-00-00.md", beat)
    faults.write(
        root / REPORTS / "query_perf_daily_20251028.csv",
        "query_plan,query_hash,timestamp,execution_time_ms,rows_examined\n"
        f"scan,h1,{DAY}T00:00:00Z,1.5,7\n",
    )
    faults.write(
        root / REPORTS / "query_perf_daily_20251029.csv",
        f"timestamp,hash,execution_time_ms\n{DAY}T00:00:00Z,h2,1.5\n"
        f"{DAY}T00:00:00Z,h3,1.5\n",
    )
    line = {"ts": f"{DAY}T02:00:00Z", "query": "x", "timings": {"total_ms": 1}}
    faults.write(
        root / REPORTS / "query_perf.jsonl", json.dumps({**line, "user": "a"}) + "\n"
    )
    advice = {"table": "docs", "index": "i", "confidence": 0.9}
    report = {"timestamp": f"{DAY}T04:00:00Z", "recommendations": [advice]}
    faults.write(
        root / "knowledge/optimize/index_advisor_report.json", json.dumps(report)
    )
    return root, faults.export(root)


def test_what_is_new_or_missing_is_recorded(drifted: tuple[Path, faults.Run]) -> None:
    found = set(faults.rows(drifted[0], DRIFT, "source, kind, name"))
    assert {
        ("heartbeats", "added", "Host"),
        ("heartbeats", "added", "Took"),
        ("heartbeats", "missing", "Duration"),
        ("query_rows", "added", "query_plan"),
        ("query_rows", "missing", "table_name"),
        ("query_rows", "missing", "query_hash"),
        ("query_rows", "added", "hash"),
        ("query_log", "added", "user"),
        ("index_advisor", "added", "recommendations.confidence"),
    } <= found
    # May be absent, so nobody is told.
    assert ("query_rows", "missing", "cpu_time_ms") not in found


def test_the_rest_is_exported(drifted: tuple[Path, faults.Run]) -> None:
    root = drifted[0]
    columns = "query_hash, rows_examined, table_name"
    assert ("h1", 7, None) in faults.rows(root, faults.QUERIES, columns)
    assert len(faults.rows(root, faults.BEATS)) == 1
    assert len(faults.rows(root, faults.ADVICE)) == 1
    rejects = faults.rows(root, faults.REJECTS, "source_file, reason, line_number, raw")
    assert sorted(rejects) == [
        (
            "query_perf_daily_20251029.csv",
            "query_hash is empty",
            number,
            f"{DAY}T00:00:00Z,h{number},1.5",
        )
        for number in (2, 3)
    ]
    assert not faults.conservation(root)


def test_it_is_a_warning_and_stands_in_the_summary(
    drifted: tuple[Path, faults.Run],
) -> None:
    root, done = drifted
    assert (
        "query_rows: 2 columns are new: query_plan, hash "
        "(first in query_perf_daily_20251028.csv); "
    ) in done.warnings
    assert "query_log: 1 column is new: user (first in query_perf.jsonl)" in (
        done.warnings
    )
    assert "no schema has drifted" not in done.warnings
    again = faults.export(root)
    assert "query_log: 1 column is new: user" in again.warnings, "until it is known"
    (summary,) = (root / REPORTS / "parquet").glob("parquet_export_summary_*.md")
    assert "query\\_plan" in summary.read_text() or "query_plan" in summary.read_text()


def test_a_file_of_another_schema_is_made_again(
    drifted: tuple[Path, faults.Run], tmp_path: Path
) -> None:
    """As after an upgrade: the published file says an older version."""
    root = faults.copy(drifted[0], tmp_path / "root")
    before = faults.published(root)
    path = next(name for name in before if "query_perf_20251028" in name)
    with duckdb.connect() as db:
        old = dict(
            db.execute(
                "select decode(key), decode(value) from parquet_kv_metadata(?)",
                [str(root / path)],
            ).fetchall()
        )
        marks = ", ".join(
            f"{k}: '{v}'" for k, v in {**old, "schema_version": 0}.items()
        )
        rows = db.sql(f"from read_parquet('{root / path}', hive_partitioning=false)")
        rows.create("old")
        (root / path).unlink()
        db.execute(
            f"copy old to '{root / path}' (format parquet, kv_metadata {{{marks}}})"
        )
    done = faults.export(root)
    assert done.paths("exported") == {path}
    after = faults.published(root)
    assert after[path][0] == before[path][0]
    assert faults.changed(before, after) == {path}
