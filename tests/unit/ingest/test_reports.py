"""The further reports: health, MCP health and the daily run, whole and cut short."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.root import PROJECT
from ingest.sources import daily_run, health, mcp_health
from ingest.sources.reports import (
    NO_CHECKS,
    NO_TIME,
    Reading,
    as_record,
    check,
    time_in_name,
)
from ingest.times import BEFORE_2000, TOO_FAR_AHEAD

MORE = PROJECT.parent / "shared" / "samples_more" / "g" / "reports"
NOW = datetime(2026, 1, 1)
KINDS = (health, mcp_health, daily_run)

MCP = """
## MCP Health @ 2025-11-17 09:14:00 +07

### com.02luka.mcp.fs
\tstate = spawn scheduled
\tlast exit code = 78: EX_CONFIG
\t\tstate = active
\tjob state = exited

### com.02luka.mcp.puppeteer
\tstate = running
\tpid = 7

### com.02luka.mcp.gone
Could not find service

### Logs (tail -5)
- mcp_fs.stderr.log:
### not a service
\tstate = running
"""
OLDER = """---
date: 2025-10-14T18:18:06+07:00
---

# OPS_ATOMIC Report

**Status:** Running...

## Phase 1: Preflight

```
## main...origin/main
- fenced: ✅ UP
```
- Branch: main
- Auto-push: ⏭ Skipped (ahead=0)

## Phase 3: Verify

- API (http://127.0.0.1:4000): ✅ UP
- UI (http://127.0.0.1:5173): ❌ DOWN
"""
SUMMARY = """
## Summary

**Overall Status:** ⚠️ DEGRADED

- API: ✅ UP
"""
NEWER = """# OPS Atomic Run — 2025-10-27T19:49:35Z

- Status: **FAIL**

### Phase 1: Smoke Tests — FAIL

```
=== Core Services ===
Testing API... ❌ FAIL (000, expected 200)
Discord Notify... SKIP (off)
copying... done
```

### Phase 2: Report — PASS

_No output recorded._
"""


def brief(reading: Reading) -> list[tuple[str, str, str | None, str | None]]:
    return [
        (c["check_group"], c["check_name"], c["status_text"], c["message"])
        for c in reading.checks
    ]


def test_a_service_is_what_launchd_says_one_tab_deep() -> None:
    reading = mcp_health.read("20251117_091400.md", MCP)
    assert reading.at == datetime(2025, 11, 17, 2, 14)
    assert [
        (c["check_name"], c["status_text"], c["exit_code"]) for c in reading.checks
    ] == [
        ("com.02luka.mcp.fs", "spawn scheduled", "78"),
        ("com.02luka.mcp.puppeteer", "running", None),
        ("com.02luka.mcp.gone", None, None),
    ]
    assert (
        reading.checks[0]["message"] == "spawn scheduled, last exit code 78: EX_CONFIG"
    )
    assert reading.checks[2]["message"] == "Could not find service"


def test_the_older_layout_has_its_clock_in_the_name_and_its_offset_within() -> None:
    reading = daily_run.read("OPS_ATOMIC_251015_011806.md", OLDER)
    assert reading.at == datetime(2025, 10, 14, 18, 18, 6)
    assert brief(reading) == [
        ("Overall", "Status", "Running...", "Running..."),
        ("Preflight", "Auto-push", "⏭ Skipped", "ahead=0"),
        ("Verify", "API", "✅ UP", "http://127.0.0.1:4000"),
        ("Verify", "UI", "❌ DOWN", "http://127.0.0.1:5173"),
    ]
    whole = daily_run.read("OPS_ATOMIC_251015_011806.md", OLDER + SUMMARY)
    assert brief(whole)[0] == ("Overall", "Status", "⚠️ DEGRADED", None)
    assert brief(whole)[1:] == brief(reading)[1:]


def test_the_newer_layout_tells_phases_and_what_they_tested() -> None:
    reading = daily_run.read("OPS_ATOMIC_251027_194935.md", NEWER)
    assert reading.at == datetime(2025, 10, 27, 19, 49, 35)
    found = brief(reading)
    assert found[0] == ("Overall", "Status", "FAIL", None)
    assert found[1][:3] == ("Phases", "Smoke Tests", "FAIL")
    assert found[1][3] is not None
    assert found[1][3].startswith("=== Core Services ===\nTesting API")
    assert found[2:] == [
        ("Core Services", "API", "❌ FAIL", "000, expected 200"),
        ("Core Services", "Discord Notify", "SKIP", "off"),
        ("Phases", "Report", "PASS", None),
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('{"timestamp": "2025-11-14T06:02:40+0700", "checks": [', "not JSON"),
        ("[]", "not an object"),
        ('{"timestamp": "soon", "checks": []}', "timestamp is not a time"),
        ('{"timestamp": "2025-11-14T06:02:40Z"}', "checks is not a list"),
        ('{"checks": [{"status": "pass"}]}', "a check has no name"),
    ],
)
def test_a_health_report_that_is_not_whole_is_a_problem(
    text: str, problem: str
) -> None:
    reading = health.read("health_20251114.json", text)
    assert (reading.checks, reading.problem) == ([], problem)


def test_a_report_without_a_time_has_that_of_its_name() -> None:
    reading = health.read("health_20251114.json", '{"checks": [{"name": "a"}]}')
    record = as_record("health_20251114.json", "health", "", reading, NOW)
    assert record["at"] == "2025-11-14 00:00:00.000000"
    nameless = as_record("health.json", "health", "", reading, NOW)
    assert nameless["problem"] == NO_TIME


@pytest.mark.parametrize(
    ("at", "checks", "problem"),
    [
        (datetime(2025, 1, 1), [], NO_CHECKS),
        (datetime(1999, 1, 1), [check("g", "n", "ok")], BEFORE_2000),
        (datetime(2026, 1, 3), [check("g", "n", "ok")], TOO_FAR_AHEAD),
    ],
)
def test_what_cannot_be_is_a_problem(at: datetime, checks: list, problem: str) -> None:  # type: ignore[type-arg]
    record = as_record("x.md", "daily_run", "raw", Reading(at, checks), NOW)
    assert (record["problem"], record["checks"], record["raw"]) == (problem, [], "raw")


def test_times_in_names() -> None:
    assert time_in_name("20251117_091400.md") == datetime(2025, 11, 17, 9, 14)
    assert time_in_name("health_20251114.json") == datetime(2025, 11, 14)
    assert time_in_name("health_20251340.json") is None


@given(st.text(max_size=200), st.sampled_from([MCP, OLDER, NEWER, "{}", ""]))
def test_no_text_is_too_odd(noise: str, text: str) -> None:
    for kind in KINDS:
        for said in (noise + text, text + noise, text[: len(noise)]):
            reading = kind.read("OPS_ATOMIC_251027_194935.md", said)
            as_record("x", kind.REPORT_TYPE, said, reading, NOW)


def test_recorded_reports_are_read_as_they_are() -> None:
    if not MORE.is_dir():
        pytest.skip("the recorded samples are not part of the project")
    found: Counter[tuple[str, str | None]] = Counter()
    for kind, pattern in zip(
        KINDS, ("health/*.json", "mcp_health/*.md", "OPS_ATOMIC_*.md"), strict=True
    ):
        for path in sorted(Path(MORE).glob(pattern)):
            reading = kind.read(path.name, path.read_text(encoding="utf-8"))
            for one in reading.checks:
                found[kind.REPORT_TYPE, one["status_text"]] += 1
            if reading.problem:
                found[path.name, reading.problem] += 1
    assert found == {
        ("health", "pass"): 42, ("health", "fail"): 2,
        ("health_20251114.json", "not JSON"): 1,
        ("mcp_health", "running"): 2, ("mcp_health", "spawn scheduled"): 6,
        ("daily_run", "Running..."): 2, ("daily_run", "⏭ Skipped"): 3,
        ("daily_run", "✅ OK"): 1, ("daily_run", "✅ UP"): 3,
        ("daily_run", "✅ PASS"): 9, ("daily_run", "⚠️ LIMITED"): 1,
        ("daily_run", "PASS"): 6, ("daily_run", "FAIL"): 2, ("daily_run", "WARN"): 3,
        ("daily_run", "⚠️  WARN"): 6, ("daily_run", "SKIP"): 2,
        ("daily_run", "❌ FAIL"): 4,
    }  # fmt: skip
