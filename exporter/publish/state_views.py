"""What dbt is shown beside the landing: records of runs, and sizes of inputs.

Only of the days that are to be published: nothing else of it is looked at.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from typing import Any

from duckdb import DuckDBPyConnection

from exporter.contracts.landing_columns import state_columns
from exporter.publish.ledger import Ledger
from exporter.publish.published_views import insert
from exporter.publish.run_records import RUNS, runs_by_day
from ingest.root import Root
from ingest.store.landed_days import landed_days


def show_runs(db: DuckDBPyConnection, root: Root, days: Collection[date]) -> None:
    """Create `state.runs`, a table of the records of the runs of some days."""
    columns = state_columns()[RUNS]
    cells = ", ".join(f'"{name}" {kind}' for name, kind in columns.items())
    db.execute(
        "create schema if not exists state; "
        f"create or replace table state.runs ({cells})"
    )
    runs = runs_by_day(root, min(days)) if days else {}
    rows = [
        [day if name == "day" else _cell(run, name) for name in columns]
        for day in sorted(days)
        for run in runs.get(day, ())
    ]
    insert(db, "state.runs", rows)


def _cell(run: dict[str, Any], name: str) -> str | None:
    """A cell as text; of warnings and errors their number."""
    if name == "first_error":
        return next(iter(run["errors"]), None)
    value = run.get(name)
    if isinstance(value, list):
        return str(len(value))
    return None if value is None else str(value)


def show_landed_bytes(
    db: DuckDBPyConnection, ledger: Ledger, days: Collection[date]
) -> None:
    """Create `publishing.landed_bytes`: what each source was landed from."""
    db.execute(
        "create or replace table publishing.landed_bytes "
        "(source varchar, day date, source_bytes bigint)"
    )
    named = set(map(str, days))
    sizes = {
        (row.source, row.day): row.source_bytes
        for row in (landed_days(ledger) if named else ())
        if row.day in named
    }
    insert(db, "publishing.landed_bytes", [[*at, size] for at, size in sizes.items()])
