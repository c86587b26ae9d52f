"""Exports and marts as files of a root, filled by a test."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb

from exporter.answers.tables import published


def publish(root: Path, name: str, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write rows of an export or mart into its files; what they lack is NULL."""
    of = published(name)
    assert of is not None, name
    types = ", ".join(f"'{column.name}': '{column.type}'" for column in of.columns)
    lines = "\n".join(json.dumps(row, default=str) for row in rows)
    with (
        duckdb.connect(config={"threads": 1}) as db,
        tempfile.NamedTemporaryFile("w", suffix=".json", encoding="utf-8") as file,
    ):
        file.write(lines)
        file.flush()
        db.execute(
            f"create table made as select * from read_json('{file.name}', "
            f"columns = {{{types}}}, format = 'newline_delimited')"
        )
        days: list[Any] = [None]
        if "{" in of.path:
            found = db.execute("select distinct date_partition from made").fetchall()
            days = [day for (day,) in found]
        for day in days:
            digits = "" if day is None else f"{day:%Y%m%d}"
            path = of.path.format(yyyymmdd=digits, yyyy=digits[:4], mm=digits[4:6])
            place = root / path
            place.parent.mkdir(parents=True, exist_ok=True)
            where = "" if day is None else f"where date_partition = '{day}'"
            db.execute(f"copy (select * from made {where}) to '{place}'")


def publish_as_of(root: Path, moment: datetime) -> None:
    """Marts that were made for a moment: heartbeats are fresh then."""
    seen = {"machine": "m", "source": "heartbeats", "dataset": "ops_atomic"}
    age = {"last_record_at": moment - timedelta(minutes=2), "age_s": 120.0}
    judged = {"allowed_age_s": 3600.0, "is_stale": False, "status": "fresh"}
    publish(root, "dataset_freshness", [{**seen, **age, **judged}])


def day_of_query(day: date, p95: float) -> list[dict[str, Any]]:
    """A day of `query_perf_daily` with one query, run twice."""
    row = {"machine": "m", "query_hash": "q1", "date_partition": day}
    took = {"executions": 2, "total_ms": 10.0, "p95_ms": p95, "day_p95_ms": p95}
    return [{**row, **took, "max_ms": p95, "rows_examined": 9.0, "rows_returned": 3.0}]
