from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import pytest

from exporter.publish.run_records import runs_folder
from exporter.reporting.history import append_run, last_run, runs_of
from exporter.reporting.results import FileResult, RunResult
from exporter.reporting.stored import Stored
from ingest.root import Root


@pytest.fixture
def root(empty_root: Path) -> Root:
    return Root(empty_root)


def a_run(started: datetime = datetime(2025, 10, 31, 23, 59, 58)) -> RunResult:
    def file(dataset: str, status: str, rows: int = 0) -> FileResult:
        return FileResult(dataset, "2025-10-28", "", status, rows, 1, 1000, 100)

    files = [
        file("query_perf", "exported", 10),
        file("query_perf", "skipped", 99),
        file("ops_atomic", "exported", 5),
        file("ops_atomic", "failed"),
    ]
    return RunResult(
        started, duration_s=3.5, files=files, warnings=["odd"], is_whole=True
    )


def test_nothing_has_run_yet(root: Root) -> None:
    assert last_run(root) is None
    assert runs_of(root, date(2025, 10, 28)) == []


def test_a_record_holds_what_there_is_to_know(root: Root) -> None:
    result = a_run()
    result.findings = {"stale:heartbeats": "no heartbeat"}
    append_run(root, result, Stored(parquet_files=7, parquet_bytes=70, landing_bytes=8))
    run = last_run(root)
    assert run is not None
    assert run["version"]
    assert run | {"version": ""} == {
        "started_at": "2025-10-31T23:59:58Z",
        "ended_at": "2025-11-01T00:00:01Z",
        "command": "export",
        "started_by": "hand",
        "machine": None,
        "version": "",
        "status": "ok",
        "stopped": None,
        "is_whole": True,
        "exit_code": 0,
        "duration_s": 3.5,
        "landed_records": 0,
        "exported_files": 2,
        "skipped_files": 1,
        "failed_files": 1,
        "exported_rows": 15,
        "rejected_rows": 2,
        "source_bytes": 2000,
        "parquet_bytes": 200,
        "stored_parquet_files": 7,
        "stored_parquet_bytes": 70,
        "stored_landing_bytes": 8,
        "stale_sources": ["heartbeats"],
        "standing": {"stale:heartbeats": "no heartbeat"},
        "datasets": [
            {
                "dataset": "ops_atomic",
                "exported_files": 1,
                "skipped_files": 0,
                "failed_files": 1,
                "exported_rows": 5,
                "rejected_rows": 1,
                "source_bytes": 1000,
                "parquet_bytes": 100,
            },
            {
                "dataset": "query_perf",
                "exported_files": 1,
                "skipped_files": 1,
                "failed_files": 0,
                "exported_rows": 10,
                "rejected_rows": 1,
                "source_bytes": 1000,
                "parquet_bytes": 100,
            },
        ],
        "warnings": ["odd"],
        "errors": [],
    }


def test_runs_are_found_by_the_day_they_began(root: Root) -> None:
    for at in (
        datetime(2025, 10, 31, 2),
        datetime(2025, 10, 31, 5),
        datetime(2025, 11, 1),
    ):
        append_run(root, a_run(at), Stored())
    began = [run["started_at"][11:16] for run in runs_of(root, date(2025, 10, 31))]
    assert began == ["02:00", "05:00"]
    last = last_run(root)
    assert last is not None
    assert last["started_at"] == "2025-11-01T00:00:00Z"


def test_a_line_that_a_kill_has_cut_costs_only_itself(root: Root) -> None:
    append_run(root, a_run(), Stored())
    (path,) = runs_folder(root).iterdir()
    with path.open("a") as stream:
        stream.write('[]\n{"started_at": 1}\n{"started_at": "2025-10-')
    odd = a_run()
    odd.errors = ["a\u2028b"]
    append_run(root, odd, Stored())
    runs = runs_of(root, date(2025, 10, 31))
    assert [run["errors"] for run in runs] == [[], ["a\u2028b"]]
    assert path.stat().st_mode & 0o777 == 0o600
