"""Where and when: what the SQL of marts goes by beside its rows."""

from __future__ import annotations

from datetime import datetime

from duckdb import DuckDBPyConnection

from exporter.publish.landing_views import quote


def show_moment(db: DuckDBPyConnection, at: datetime, machine: str) -> None:
    """Create `publishing.as_of()` and `publishing.machine()`: constants to DuckDB."""
    db.execute(
        "create schema if not exists publishing; "
        f"create or replace macro publishing.as_of() as timestamp '{at}'; "
        f"create or replace macro publishing.machine() as {quote(machine)}::varchar"
    )
