from __future__ import annotations

import errno
import os
import re
from datetime import datetime
from pathlib import Path

import pytest

from exporter.agents.jobs import LABELS
from exporter.reporting import logs
from exporter.reporting.logs import append_log, log_path, log_warning, rotate_logs
from exporter.reporting.results import FileResult, RunResult
from ingest.root import Root


@pytest.fixture
def root(empty_root: Path) -> Root:
    return Root(empty_root)


def test_a_run_leaves_a_line_per_file_and_one_of_its_own(root: Root) -> None:
    written = FileResult(
        "query_perf", "2025-10-28", "x/query_perf_20251028.parquet", "exported",
        rows=1234, source_bytes=130_000, parquet_bytes=22_528,
    )  # fmt: skip
    failed = FileResult(
        "ops_atomic", "2025-10-28", "ops_atomic_20251028.parquet", "failed"
    )
    result = RunResult(datetime(2025, 10, 28), files=[written, failed])
    result.warnings, result.errors = ["odd\n[FAKE] line"], ["bad"]
    append_log(root, result)
    append_log(root, RunResult(datetime(2025, 10, 28)))
    lines = log_path(root).read_text().splitlines()
    stamped = re.compile(r"\[\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\] (.*)")
    matches = [stamped.fullmatch(line) for line in lines]
    assert [match[1] for match in matches if match] == [
        "[INFO] export:parquet file=query_perf_20251028.parquet rows=1234 "
        "compressed_kb=22 ratio=82.7%",
        "[ERROR] export:parquet file=ops_atomic_20251028.parquet failed",
        "[WARNING] odd [FAKE] line",
        "[ERROR] bad",
        "[ERROR] export:run status=partial exported=1 skipped=0 failed=1 "
        "duration_s=0.0",
        "[INFO] export:run status=ok exported=0 skipped=0 failed=0 duration_s=0.0",
    ]


def test_a_log_that_cannot_be_written_stops_nothing(root: Root) -> None:
    log_warning(root, "noted")
    assert log_path(root).read_text().endswith("[WARNING] noted\n")
    log_path(root).unlink()
    log_path(root).mkdir()
    log_warning(root, "lost")


@pytest.mark.parametrize("name", [f"{LABELS[0]}.out.log", f"{LABELS[1]}.err.log"])
def test_agents_logs_that_have_grown_are_set_aside(
    root: Root, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logs, "LOG_BYTES", 4)
    monkeypatch.setattr(logs, "LOGS_KEPT", 2)
    root.logs.mkdir(parents=True)
    for text in ("one!", "two!", "three", "sma"):
        (root.logs / name).write_text(text)
        rotate_logs(root)
    found = {path.name: path.read_text() for path in root.logs.iterdir()}
    assert found == {name: "sma", f"{name}.1": "three", f"{name}.2": "two!"}


def test_the_log_is_set_aside_before_it_is_too_large(
    root: Root, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logs, "LOG_BYTES", 80)
    monkeypatch.setattr(logs, "LOGS_KEPT", 2)
    for number in range(9):
        log_warning(root, f"number {number}")
    name = log_path(root).name
    found = {path.name: path.read_text() for path in root.logs.iterdir()}
    assert sorted(found) == [name, f"{name}.1", f"{name}.2"]
    assert found[name].endswith("number 8\n")
    assert all(len(text) <= 80 and text.endswith("\n") for text in found.values())


def test_a_line_that_cannot_be_written_is_told_with_the_path(
    root: Root, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("logging.StreamHandler.flush", full)
    with pytest.raises(OSError, match="No space left") as caught:
        append_log(root, RunResult(datetime(2025, 10, 28)))
    assert caught.value.filename == str(log_path(root))
