"""What looks like an input and is not read is named; links lead nowhere twice."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path
from unittest import mock

from ingest.listing import (
    MISNAMED,
    MISPLACED,
    NOT_FOLLOWED,
    REMEDIES,
    UNKNOWN_LOGS,
    UNKNOWN_REPORTS,
    list_inputs,
)
from ingest.root import Root
from ingest.run import land
from ingest.store.ledger import Ledger

BEAT = "heartbeat_2025-10-27_01-02-03.md"


def fill(root: Path, *names: str) -> Root:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return Root(root)


def test_what_is_not_read_is_told_by_what_it_is(tmp_path: Path) -> None:
    root = fill(
        tmp_path,
        f"g/reports/{BEAT}",
        "g/reports/heartbeat_latest.md",
        "g/reports/ops_atomic/Heartbeat 27.10.md",
        "g/reports/sub/query_perf_daily_20251027.csv",
        f"reports/{BEAT}",
        "reports/notes.md",
        f"g/g/reports/ops_atomic/{BEAT}",
        "g/reports/weekly_review.md",
        "g/reports/health/health_today.json",
        "g/reports/other.jsonl",
        "g/telemetry/rollup_weekly.ndjson",
        "g/reports/.DS_Store",
        "g/reports/parquet/parquet_export_summary_20251027.md",
        "knowledge/optimize/PARQUET_README.md",
    )
    assert list_inputs(root).ignored == {
        MISNAMED: [
            "g/reports/heartbeat_latest.md",
            "g/reports/ops_atomic/Heartbeat 27.10.md",
        ],
        MISPLACED: [
            f"g/g/reports/ops_atomic/{BEAT}",
            "g/reports/sub/query_perf_daily_20251027.csv",
            f"reports/{BEAT}",
        ],
        UNKNOWN_REPORTS: [
            "g/reports/health/health_today.json",
            "g/reports/weekly_review.md",
        ],
        UNKNOWN_LOGS: ["g/reports/other.jsonl", "g/telemetry/rollup_weekly.ndjson"],
    }


def test_each_has_its_remedy() -> None:
    wanted = {MISNAMED, MISPLACED, UNKNOWN_LOGS, UNKNOWN_REPORTS, NOT_FOLLOWED}
    assert REMEDIES.keys() == wanted


def test_a_linked_folder_is_followed_once(tmp_path: Path) -> None:
    root = fill(tmp_path / "root", "g/reports/a/x.txt")
    fill(tmp_path, f"elsewhere/{BEAT}", f"elsewhere/below/{BEAT}")
    (root.path / "g/reports/one").symlink_to(tmp_path / "elsewhere")
    (root.path / "g/reports/two").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere/below/back").symlink_to(tmp_path / "elsewhere")
    (root.path / "g/reports/same").symlink_to(root.path / "g/reports/a")
    assert sorted(list_inputs(root).heartbeats) == [
        ("g/reports/one", [BEAT]), ("g/reports/one/below", [BEAT])
    ]  # fmt: skip


def test_no_link_leads_up_or_into_our_own(tmp_path: Path) -> None:
    state = f"g/analytics/state/{BEAT}"
    root = fill(tmp_path / "root", f"g/reports/{BEAT}", state)
    for name, target in (("g", "g"), ("all", "."), ("state", "g/analytics/state")):
        (root.path / "g/reports" / name).symlink_to(root.path / target)
    (root.path / "g/reports/above").symlink_to(tmp_path)
    found = list_inputs(root)
    assert found.heartbeats == [("g/reports", [BEAT])]
    assert found.ignored == {NOT_FOLLOWED: ["g/reports/state"]}


def test_another_users_folder_is_not_followed_and_named(tmp_path: Path) -> None:
    root = fill(tmp_path / "root", f"g/reports/{BEAT}")
    fill(tmp_path, f"theirs/{BEAT}")
    (root.path / "g/reports/theirs").symlink_to(tmp_path / "theirs")
    with mock.patch.object(os, "geteuid", return_value=os.getuid() + 1):
        found = list_inputs(root)
    assert found.heartbeats == [("g/reports", [BEAT])]
    assert found.ignored == {NOT_FOLLOWED: ["g/reports/theirs"]}


def test_a_run_reports_what_it_ignored_and_reads_what_is_linked(tmp_path: Path) -> None:
    root = fill(tmp_path / "root", "g/reports/heartbeat_latest.md")
    text = "**Status:** ok\n"
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / BEAT).write_text(text)
    (root.path / "g/reports/one").symlink_to(tmp_path / "elsewhere")
    now = datetime(2025, 10, 28)
    report = land(root, Ledger(None), now=now)
    assert report.records == 1
    assert report.ignored == {MISNAMED: ["g/reports/heartbeat_latest.md"]}
