"""What people see: fixed lines for few, a line per source or dataset for many."""

from __future__ import annotations

import io
import time
from datetime import date, datetime
from pathlib import Path

import pytest

from exporter.reporting import spinner
from exporter.reporting.results import FileResult, RunResult
from exporter.reporting.screen import Screen, broken
from ingest.loaders.context import ReadInput
from ingest.root import Root

TODAY = date(2025, 10, 30)


def files(days: int, dataset: str = "query_perf", status: str = "") -> list[FileResult]:
    return [
        FileResult(
            dataset, f"2025-10-{day:02}", f"p/{dataset}_202510{day:02}.parquet",
            status, 100, 0, 100_000, 20_000,
        )
        for day in range(1, days + 1)
    ]  # fmt: skip


def read(number: int) -> list[ReadInput]:
    return [
        ReadInput("query_rows", 1_000, "row", f"f{n}.csv", 2_048) for n in range(number)
    ]


def test_few_are_told_one_by_one(capsys: pytest.CaptureFixture[str]) -> None:
    screen = Screen()
    for one in read(10):
        screen.parsed(one)
    screen.landed()
    screen.exported(files(2), date(2025, 10, 2))
    screen.skipped(files(1))
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "✓ Parsed 1,000 rows from f0.csv"
    assert len(said) == 10 + 4 + 1
    assert said[10:] == [
        "✓ Wrote …/query_perf_20251001.parquet (20 KB)",
        "✓ Compression: 98 KB → 20 KB (80.0% reduction)",
        "✓ Wrote …/query_perf_20251002.parquet (20 KB) (partial day)",
        "✓ Compression: 98 KB → 20 KB (80.0% reduction)",
        "⊘ query_perf_20251001.parquet already exists, skipping",
    ]


def test_many_are_told_together(capsys: pytest.CaptureFixture[str]) -> None:
    screen = Screen()
    for one in [*read(11), ReadInput("heartbeats", 9, "heartbeat", "", 1)]:
        screen.parsed(one)
    screen.landed()
    screen.exported([*files(11), *files(1, "ops_atomic")], TODAY)
    screen.skipped(files(11))
    screen.dry_run(files(11))
    assert capsys.readouterr().out.splitlines() == [
        "✓ Parsed 9 heartbeats",
        "✓ Parsed 11,000 rows from 11 files of query_rows (22 KB)",
        "✓ Wrote …/ops_atomic_20251001.parquet (20 KB)",
        "✓ Compression: 98 KB → 20 KB (80.0% reduction)",
        "✓ Wrote 11 files of query_perf: 1,100 rows, 1.0 MB → 215 KB (80.0% reduction)",
        "⊘ query_perf: 11 files already exist, skipping",
        "→ Would create 11 files of query_perf, 2025-10-01 to 2025-10-11",
    ]


def test_verbose_names_every_file(capsys: pytest.CaptureFixture[str]) -> None:
    screen = Screen(verbose=True)
    for one in read(11):
        screen.parsed(one)
    screen.landed()
    screen.exported(files(11), TODAY)
    assert len(capsys.readouterr().out.splitlines()) == 11 + 22


def test_the_last_lines_say_what_matters(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    result = RunResult(datetime(2025, 10, 30), duration_s=3.21)
    result.files = files(3, "rejected_records", "exported")
    result.warnings = [f"w{n}: odd" for n in range(25)]
    Screen().finish(Root(tmp_path), result)
    said = capsys.readouterr()
    days, rejects, last = said.out.splitlines()
    assert days == "✓ Wrote 3 days, 2025-10-01 to 2025-10-03"
    assert rejects.startswith("⊘ 300 records rejected; to see why: run ")
    assert " rejects --root " in rejects
    assert last == "✓ Export complete (3 new files) in 3.2 s"
    warnings = said.err.splitlines()
    assert len(warnings) == 11
    assert "… and 15 more: run tail -n 100 " in warnings[-1]


def test_the_days_of_runs_are_no_days_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    result = RunResult(datetime(2026, 10, 30))
    of_runs = FileResult(
        "run_log", "2026-10-29", "p/run_log_20261029.parquet", "exported"
    )
    result.files = [*files(3, status="exported"), of_runs]
    Screen().finish(Root(tmp_path), result, along={"run_log"})
    days, last = capsys.readouterr().out.splitlines()
    assert days == "✓ Wrote 3 days, 2025-10-01 to 2025-10-03"
    assert "(4 new files)" in last


def test_nothing_is_said_twice(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    screen = Screen(quiet=True)
    result = RunResult(datetime(2025, 10, 30), errors=["bad"], warnings=["odd", "odd"])
    screen.problems(Root(tmp_path), result)
    screen.finish(Root(tmp_path), result)
    said = capsys.readouterr()
    assert (said.out, said.err) == ("", "⚠ odd\n✗ bad\n")


def test_a_command_stands_in_a_line_of_its_own() -> None:
    said = "word " * 30
    command = "/a/very/long/path/to/ops-atomic export --root '/another/very/long path'"
    lines = broken(f"{said}: run {command}", 80).split("\n")
    assert lines[-1] == f"  → {command}", "whole, or it could not be pasted"
    assert all(len(line) <= 80 for line in lines[:-1])
    assert broken("short", 80) == "short"
    # As the doctor says them.
    told = broken(f"Source: {said}\n  → {command}", 80).split("\n")
    assert told[-1] == f"  → {command}"
    assert all(len(line) <= 80 for line in told[:-1])


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_what_takes_its_time_is_shown_and_taken_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(spinner, "PATIENCE_S", 0)
    monkeypatch.setattr(spinner, "BEAT_S", 0.01)
    shown = spinner.Spinner()
    shown.stream = Terminal()
    with shown.doing("Reading", 4) as step:
        step(1)
        while "Reading: 1 of 4 (25%)" not in shown.stream.getvalue():
            time.sleep(0.01)
    assert shown.stream.getvalue().endswith(spinner.ERASE)
    assert shown.thread is None


def test_a_pipe_is_shown_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spinner, "PATIENCE_S", 0)
    shown = spinner.Spinner()
    shown.stream = io.StringIO()
    with shown.doing("Reading"):
        assert shown.thread is None
    assert shown.stream.getvalue() == ""
