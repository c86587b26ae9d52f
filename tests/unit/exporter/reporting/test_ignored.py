"""What is not read is counted, and named with what to do."""

from __future__ import annotations

from exporter.reporting.ignored import MOST_NAMED, counted, named
from ingest.listing import MISNAMED, REMEDIES, UNKNOWN_REPORTS

MANY = [f"g/reports/{number}.md" for number in range(1_200)]
IGNORED = {UNKNOWN_REPORTS: MANY, MISNAMED: ["g/reports/heartbeat_x.md"]}


def test_all_are_counted() -> None:
    assert counted(IGNORED) == f"{MISNAMED} (1), {UNKNOWN_REPORTS} (1,200)"
    assert counted({}) == ""


def test_some_are_named_with_what_to_do() -> None:
    lines = named(IGNORED)
    assert lines[MISNAMED] == f"g/reports/heartbeat_x.md: {REMEDIES[MISNAMED]}"
    assert f"and {1_200 - MOST_NAMED:,} more: " in lines[UNKNOWN_REPORTS]
