"""What is not read is counted, and named with what to do."""

from __future__ import annotations

from pathlib import Path

from exporter.reporting.ignored import MOST_NAMED, UNKNOWN_LINES, counted, named
from ingest.listing import MISNAMED, REMEDIES, UNKNOWN_REPORTS
from ingest.root import Root

MANY = [f"g/reports/{number}.md" for number in range(1_200)]
IGNORED = {UNKNOWN_REPORTS: MANY, MISNAMED: ["g/reports/heartbeat_x.md"]}


def test_all_are_counted() -> None:
    said = f"{MISNAMED} (1), {UNKNOWN_LINES} (1,005), {UNKNOWN_REPORTS} (1,200)"
    assert counted(IGNORED, {"query_perf": 5, "optimization_summary": 1_000}) == said
    assert counted({}, {}) == ""


def test_some_are_named_with_what_to_do() -> None:
    said = dict(named(Root(Path("/r")), IGNORED, {"query_perf": 5}))
    misnamed = f"g/reports/heartbeat_x.md: {REMEDIES[MISNAMED]}"
    assert said[f"{MISNAMED} (1)"] == misnamed
    assert f"and {1_200 - MOST_NAMED:,} more: " in said[f"{UNKNOWN_REPORTS} (1,200)"]
    of_lines = said[f"{UNKNOWN_LINES} (5)"]
    assert of_lines.startswith("5 for query_perf, kept as rejects; to see ")
    assert of_lines.endswith("ops-atomic rejects --root /r")
