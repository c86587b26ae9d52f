"""The daily run's report: a state for each phase, and ingest reads all of it."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from exporter.jobs import daily
from exporter.jobs.daily import write_daily
from ingest.root import Root
from ingest.sources import daily_run
from tests import faults
from tests.faults import write

NOW = datetime(2025, 10, 28, 2, 0, 7)


def read(root: Path) -> tuple[str, dict[tuple[str, str], tuple[str, str]]]:
    """The state of a report that is written now, and its checks."""
    path, state = write_daily(Root(root), NOW)
    assert path.name == "OPS_ATOMIC_251028_020007.md"
    reading = daily_run.read(path.name, path.read_text(encoding="utf-8"))
    assert reading.problem is None
    assert reading.at == NOW
    return state, {
        (check["check_group"], check["check_name"]): (
            str(check["status_text"]),
            str(check["message"]),
        )
        for check in reading.checks
    }


def beat(root: Path, minutes: int, checks: str, status: str = "✅ HEALTHY") -> None:
    at = NOW - timedelta(minutes=minutes)
    text = faults.heartbeat(f"{at:%Y-%m-%dT%H:%M:%SZ}", status, checks)
    folder = root / "g/reports/ops_atomic"
    mtime = int(at.replace(tzinfo=UTC).timestamp())
    write(folder / f"heartbeat_{at:%Y-%m-%d_%H-%M-%S}.md", text, mtime)


def test_each_check_of_the_newest_heartbeat_has_its_state(tmp_path: Path) -> None:
    beat(tmp_path, 20, "- **Status:** ❌ the one before")
    beat(
        tmp_path,
        5,
        "- **Status:** ⚠️ slow ``` down\n- **Main:** ❌ down\n"
        "- **Other:** ✅ fine\n- **Last:** ❌ Skipped in CI",
    )
    beat(tmp_path, -60, "- **Status:** ✅ dated ahead")
    state, checks = read(tmp_path)
    assert state == "FAIL"
    phases = {name: said for (group, name), said in checks.items() if group == "Phases"}
    assert phases["Monitor Checks"][0] == "FAIL"
    of = "Monitor Checks"
    assert checks[of, "Heartbeat"][1].endswith("5 min old")
    assert checks[of, "Redis Status"] == ("⚠️ WARN", "slow ''' down")
    assert checks[of, "Redis Main"][0] == "❌ FAIL"
    assert checks[of, "Redis Other"][0] == "✅ PASS"
    assert checks[of, "Redis Last"][0] == "⏭ SKIP"


@pytest.mark.parametrize(("minutes", "word"), [(5, "PASS"), (600, "FAIL")])
def test_a_heartbeat_that_is_old_fails(minutes: int, word: str, tmp_path: Path) -> None:
    beat(tmp_path, minutes, "- **Status:** ✅ fine")
    _, checks = read(tmp_path)
    assert word in checks["Monitor Checks", "Heartbeat"][0]


def test_without_anything_it_warns_and_says_why(tmp_path: Path) -> None:
    (tmp_path / "g").mkdir()
    state, checks = read(tmp_path)
    assert state == "FAIL"  # nothing to validate is an error
    assert checks["Monitor Checks", "Heartbeat"] == (
        "⚠️ WARN",
        "none below g/reports",
    )
    assert checks["Export", "Last run"] == ("⚠️ WARN", "none yet")
    assert "FAIL" in checks["Validation", "Published files"][0]


def test_a_phase_that_breaks_off_costs_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("by 0")

    monkeypatch.setattr(daily, "_disk", broken)
    beat(tmp_path, 5, "- **Status:** ✅ fine")
    _, checks = read(tmp_path)
    assert checks["Disk", "Disk"] == ("❌ FAIL", "ZeroDivisionError: by 0")
    assert "PASS" in checks["Monitor Checks", "Redis Status"][0]


@pytest.mark.parametrize(("free", "word"), [(2, "FAIL"), (7, "WARN"), (50, "PASS")])
def test_room_on_the_disk(
    free: int, word: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = os.statvfs_result((4096, 4096, 100, free, free, 9, 9, 9, 0, 255))
    monkeypatch.setattr(os, "statvfs", lambda _: held)
    assert daily._disk(Root(tmp_path))[1] == word


def test_it_is_published_with_no_reject(tmp_path: Path) -> None:
    beat(tmp_path, 5, "- **Status:** ✅ fine")
    faults.export(tmp_path)
    write_daily(Root(tmp_path), NOW)
    faults.export(tmp_path)
    found = faults.rows(
        tmp_path,
        "g/analytics/report_checks/*.parquet",
        "report_type, check_group, check_name, status",
    )
    assert ("daily_run", "Monitor Checks", "Redis Status", "ok") in found
    assert {status for *_, status in found} <= {"ok", "warn", "error", "skipped"}
    assert not faults.rows(tmp_path, faults.REJECTS, "reason")
