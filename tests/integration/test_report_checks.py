"""Further reports of checks: published as they lie there, or out of bundles."""

from __future__ import annotations

import json
from pathlib import Path

from tests import faults
from tests.faults import are_datasets_valid, write
from tests.faults import export_datasets as export
from tests.unit.ingest.sources.test_check_reports import HEALTH, MCP, NEWER, OLDER

FILES = {
    "health/health_20251208.json": json.dumps(HEALTH),
    "health/health_20251114.json": json.dumps(HEALTH)[:200],
    "mcp_health/20251116_031933.md": MCP,
    "OPS_ATOMIC_251016_144039.md": NEWER,
    "OPS_ATOMIC_251015_005448.md": OLDER,
}
COLUMNS = "filename, report_type, timestamp::varchar, check_name, status, message"
EXPECTED = [
    ("20251116_031933.md", "mcp_health", "2025-11-15 20:19:33", "com.02luka.mcp.fs",
     "ok", "running, last exit code 0"),
    ("20251116_031933.md", "mcp_health", "2025-11-15 20:19:33",
     "com.02luka.mcp.puppeteer", "error",
     "spawn scheduled, last exit code 78: EX_CONFIG"),
    ("OPS_ATOMIC_251015_005448.md", "daily_run", "2025-10-14 17:54:48", "API", "ok",
     "http://127.0.0.1:4000"),
    ("OPS_ATOMIC_251015_005448.md", "daily_run", "2025-10-14 17:54:48", "Auto-push",
     "skipped", "uncommitted=12"),
    ("OPS_ATOMIC_251015_005448.md", "daily_run", "2025-10-14 17:54:48", "Status",
     "unknown", "Running..."),
    ("OPS_ATOMIC_251016_144039.md", "daily_run", "2025-10-16 14:40:39",
     "API Capabilities", "ok", "200"),
    ("OPS_ATOMIC_251016_144039.md", "daily_run", "2025-10-16 14:40:39", "API Patch",
     "warn", "500, expected 200 - optional endpoint"),
    ("OPS_ATOMIC_251016_144039.md", "daily_run", "2025-10-16 14:40:39",
     "Discord Notify", "skipped", "disabled"),
    ("OPS_ATOMIC_251016_144039.md", "daily_run", "2025-10-16 14:40:39",
     "Report Generation", "ok", None),
    ("OPS_ATOMIC_251016_144039.md", "daily_run", "2025-10-16 14:40:39", "Status",
     "ok", None),
    ("health_20251208.json", "health", "2025-12-08 01:00:05", "Disk", "ok", None),
    ("health_20251208.json", "health", "2025-12-08 01:00:05", "Slow", "ok", None),
    ("health_20251208.json", "health", "2025-12-08 01:00:05", "Worker", "error",
     "exit code 1"),
]  # fmt: skip


def test_reports_are_published_live_and_from_bundles_alike(tmp_path: Path) -> None:
    live, rotated = tmp_path / "live", tmp_path / "rotated"
    for root in (live, rotated):
        for name, text in FILES.items():
            write(root / "g/reports" / name, text, 1765200000)
    faults.rotate(rotated, [f"g/reports/{name}" for name in FILES])
    for root in (live, rotated):
        assert export(root).paths("exported")

    pattern = "g/analytics/report_checks/*.parquet"
    shown = faults.rows(live, pattern, COLUMNS)
    assert sorted(row for row in shown if row[3] != "Smoke Tests") == sorted(EXPECTED)
    assert faults.rows(rotated, pattern, COLUMNS) == shown
    assert all(
        day == at.date()
        for at, day in faults.rows(live, pattern, "timestamp, date_partition")
    )
    assert (12,) in faults.rows(live, pattern, "duration_ms")
    rejects = "g/analytics/rejected_records/*.parquet"
    assert faults.rows(live, rejects, "dataset, source_file, date_partition::varchar") \
        == [("report_checks", "health_20251114.json", "2025-11-14")]  # fmt: skip
    assert are_datasets_valid(live)
    assert not faults.conservation(live)
    assert not faults.rows(live, "g/analytics/schema_drift/*.parquet")

    assert not export(live).paths("exported")
    faults.rotate(live, [f"g/reports/{name}" for name in FILES])
    assert not export(live).paths("exported", "failed")
