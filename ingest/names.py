"""What base names tell of inputs: their kind, and the day they stand for."""

from __future__ import annotations

import re
from datetime import date

HEARTBEAT = re.compile(
    r"heartbeat_(\d{4}-\d{2}-\d{2})_(\d{2})-(\d{2})-(\d{2})\.md", re.ASCII
)
DATED = re.compile(r"query_perf_(?:daily_(\d{8})|weekly_(\d{6}))\.(csv|json)", re.ASCII)
SUMMARY = re.compile(r"optimization_summary(?:_.*)?\.txt", re.DOTALL)
BUNDLE = re.compile(r"reports_\d{8}_\d{6}\.tar\.gz", re.ASCII)

# What a base name tells; dated files tell rows from patterns by their header.
FIXED_NAMES = {
    "query_perf.jsonl": "query_log",
    "rollup_daily.ndjson": "telemetry",
    "index_advisor_report.json": "index_advisor",
}


def kind_of(name: str) -> str | None:
    """heartbeats, dated, query_log, telemetry, index_advisor,
    optimization_summary, or None for a file that is not ours."""
    if name in FIXED_NAMES:
        return FIXED_NAMES[name]
    if HEARTBEAT.fullmatch(name):
        return "heartbeats"
    if DATED.fullmatch(name):
        return "dated"
    if SUMMARY.fullmatch(name):
        return "optimization_summary"
    return None


def dated_day(name: str) -> date | None:
    """The day a dated file stands for: its date, or its ISO week's Monday."""
    match = DATED.fullmatch(name)
    if match is None:
        return None
    daily, weekly = match[1], match[2]
    try:
        if daily:
            return date(int(daily[:4]), int(daily[4:6]), int(daily[6:]))
        return date.fromisocalendar(int(weekly[:4]), int(weekly[4:]), 1)
    except ValueError:
        return None


def name_date(name: str) -> date | None:
    """A date written in any file name: YYYYMMDD or YYYY-MM-DD."""
    for match in re.finditer(r"(?<!\d)(\d{4})-?(\d{2})-?(\d{2})(?!\d)", name):
        try:
            return date(int(match[1]), int(match[2]), int(match[3]))
        except ValueError:
            continue
    return None
