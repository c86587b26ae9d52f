"""Rows of Parquet that another program wrote where our files are published.

Of the system's first exporter: one row per heartbeat, all text but the duration.
Columns are known by name; what an adopted row says besides stands in `raw`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from ingest.masking.masks import Masks
from ingest.sources.csv_records import plain
from ingest.sources.heartbeats import time_in_name
from ingest.text.clean import clean
from ingest.text.times import date_problem, parse_time, utc_text

Row = Mapping[str, str | None]
"""A row's cells as text, by the names of the columns as they were written."""

# The dataset whose rows are adopted; of others the rows are rejects.
ADOPTED = "ops_atomic"
NOT_ADOPTED = f"of another program's rows only those of {ADOPTED} are adopted"

CELLS = (
    "filename",
    "report_type",
    "status",
    "duration_ms",
    "redis_status",
    "database_status",
    "api_status",
    "launchagent_optimizer",
    "launchagent_digest",
)


def read_row(
    row: Row, dataset: str, named: date, masks: Masks, now: datetime
) -> dict[str, Any]:
    """The record of landing.legacy_parquet that a row says, and its day.

    `dataset` and `named`, a day, are those of the path where the file lay. The
    time is that of the row, else the one in its heartbeat's name; without one it
    is a reject under the day `named`.
    """
    raw = masks.raw(clean(json.dumps(row, ensure_ascii=False)))
    if dataset != ADOPTED:
        cells = dict.fromkeys(CELLS)
        return _record(dataset, cells, None, NOT_ADOPTED, raw, named)
    known = {plain(name): clean(text) for name, text in row.items() if text}
    known["filename"] = known.get("filename", "").strip().rpartition("/")[2]
    written = known.get("timestamp", "").strip()
    at = parse_time(written) or time_in_name(known["filename"])
    if at is not None:
        problem = date_problem(at, now)
    else:
        problem = "timestamp is not a time" if written else "timestamp is empty"
    masked = {cell: masks.text(known.get(cell, "")) or None for cell in CELLS}
    return _record(dataset, masked, at, problem, raw, at.date() if at else named)


def _record(
    dataset: str,
    cells: Mapping[str, str | None],
    at: datetime | None,
    problem: str | None,
    raw: str,
    day: date,
) -> dict[str, Any]:
    return {
        "dataset": dataset,
        **cells,
        "at": utc_text(at) if at else None,
        "problem": problem,
        "raw": raw,
        "day": day.isoformat(),
    }
