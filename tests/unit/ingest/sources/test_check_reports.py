"""Further reports of checks: what each kind says, and what cannot be read."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import pytest

from ingest.masking.masks import load_masks
from ingest.registry import KINDS
from ingest.root import PROJECT
from ingest.sources.reports import MAX_BYTES, Report, read_report

SAMPLES = PROJECT / ".." / "shared" / "samples_more" / "g" / "reports"
NOW = datetime(2026, 1, 1)
MASKS = load_masks()

HEALTH = {
    "timestamp": "2025-12-08T08:00:05+0700",
    "checks": [
        {"name": "Disk", "status": "pass", "timestamp": "2025-12-08T08:00:05+0700"},
        {"name": "Worker", "status": "fail", "exit_code": 1},
        {"name": "Slow", "status": "pass", "duration_ms": 12},
    ],
    "summary": {"total": 3, "passed": 2, "failed": 1, "success_rate": "66%"},
}
MCP = """## MCP Health @ 2025-11-16 03:19:33 +07

### com.02luka.mcp.fs
\tstate = running
\tlast exit code = 0
\t\tstate = active

### com.02luka.mcp.puppeteer
\tstate = spawn scheduled
\tlast exit code = 78: EX_CONFIG

### Logs (tail -5)
- mcp_fs.stderr.log:
"""
NEWER = """# OPS Atomic Run — 2025-10-16T14:40:39Z

- Status: **PASS**

### Phase 1: Smoke Tests — PASS

```
=== Core Services ===
Testing API Capabilities... ✅ PASS (200)
Testing API Patch... ⚠️  WARN (500, expected 200 - optional endpoint)
Discord Notify... SKIP (disabled)
```

### Phase 2: Report Generation — PASS

_No output recorded._
"""
OLDER = """---
date: 2025-10-14T17:54:48+07:00
---

# OPS_ATOMIC Report

**Status:** Running...

## Phase 1: Preflight

- Branch: main
- Auto-push: ⏭ Skipped (uncommitted=12)

## Phase 3: Verify

- API (http://127.0.0.1:4000): ✅ UP
"""


def read(name: str, kind: str, text: str) -> Report:
    return read_report(name, KINDS[kind], text.encode(), NOW, MASKS)[0]


def said(report: Report) -> list[tuple[str, str, str | None, str | None]]:
    return [
        (c["check_group"], c["check_name"], c["status_text"], c["message"])
        for c in report["checks"]
    ]


def test_a_health_report_has_a_check_for_each_entry() -> None:
    report = read("health_20251208.json", "health", json.dumps(HEALTH))
    assert (report["at"], report["problem"]) == ("2025-12-08 01:00:05.000000", None)
    assert said(report) == [
        ("Health", "Disk", "pass", None),
        ("Health", "Worker", "fail", "exit code 1"),
        ("Health", "Slow", "pass", None),
    ]
    assert report["checks"][2]["duration_text"] == "12"


def test_an_mcp_report_has_a_check_for_each_service() -> None:
    report = read("20251116_031933.md", "mcp_health", MCP)
    assert report["at"] == "2025-11-15 20:19:33.000000"
    assert [(c["check_name"], c["status_text"], c["exit_code"])
            for c in report["checks"]] == [
        ("com.02luka.mcp.fs", "running", "0"),
        ("com.02luka.mcp.puppeteer", "spawn scheduled", "78"),
    ]  # fmt: skip


def test_the_daily_run_says_phases_and_what_was_tested() -> None:
    report = read("OPS_ATOMIC_251016_144039.md", "daily_run", NEWER)
    assert report["at"] == "2025-10-16 14:40:39.000000"
    checks = [(c["check_group"], c["check_name"], c["status_text"])
              for c in report["checks"]]  # fmt: skip
    assert checks == [
        ("Overall", "Status", "PASS"),
        ("Phases", "Smoke Tests", "PASS"),
        ("Core Services", "API Capabilities", "✅ PASS"),
        ("Core Services", "API Patch", "⚠️  WARN"),
        ("Core Services", "Discord Notify", "SKIP"),
        ("Phases", "Report Generation", "PASS"),
    ]


def test_the_older_daily_run_has_its_offset_in_its_front_matter() -> None:
    report = read("OPS_ATOMIC_251015_005448.md", "daily_run", OLDER)
    assert report["at"] == "2025-10-14 17:54:48.000000"
    assert said(report) == [
        ("Overall", "Status", "Running...", "Running..."),
        ("Preflight", "Auto-push", "⏭ Skipped", "uncommitted=12"),
        ("Verify", "API", "✅ UP", "http://127.0.0.1:4000"),
    ]


@pytest.mark.parametrize(
    ("name", "kind", "text", "at", "problem"),
    [
        ("health_20251114.json", "health", json.dumps(HEALTH)[:90], "2025-11-14",
         "not JSON"),
        ("health_20251114.json", "health", "[]", "2025-11-14", "not an object"),
        ("health_20251114.json", "health", '{"checks": []}', "2025-11-14", "no checks"),
        ("health_20251114.json", "health", '{"timestamp": "soon"}', "2025-11-14",
         "timestamp is not a time"),
        ("20251116_031933.md", "mcp_health", "# else", "2025-11-16 03:19:33",
         "no MCP Health heading"),
        ("OPS_ATOMIC_251015_005448.md", "daily_run", "# else", "2025-10-15 00:54:48",
         "no heading of a daily run"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_a_reject_of_the_time_in_its_name(
    name: str, kind: str, text: str, at: str, problem: str
) -> None:
    report = read(name, kind, text)
    assert report["checks"] == []
    assert (report["at"] or "").startswith(at)
    assert problem in (report["problem"] or "")
    assert report["raw"] == text


def test_a_report_that_is_too_long_is_a_reject() -> None:
    report = read("health_20251208.json", "health", " " * (MAX_BYTES + 1))
    assert report["problem"] == "report is too long"
    assert report["at"] == "2025-12-08 00:00:00.000000"


def test_secrets_are_masked_even_where_json_escapes_hide_them() -> None:
    secret = "hunter2secret"
    entry = {"name": "N", "status": "fail", "message": f"password={secret}"}
    text = json.dumps({**HEALTH, "checks": [entry]}).replace("pass", "p\\u0061ss")
    report = read("health_20251208.json", "health", text)
    assert secret not in json.dumps(report)


@pytest.mark.parametrize("path", sorted(SAMPLES.rglob("*.*")), ids=lambda p: p.name)
def test_recorded_reports_are_read(path: Path) -> None:
    [kind] = [k for k in KINDS.values() if k.pattern.fullmatch(path.name)]
    report = read(path.name, kind.name, path.read_text(encoding="utf-8"))
    is_cut = path.name == "health_20251114.json"
    assert (report["problem"] is None) != is_cut
    assert bool(report["checks"]) != is_cut
