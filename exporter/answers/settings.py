"""What the operator has set, as far as answers show it."""

from __future__ import annotations

from duckdb import DuckDBPyConnection

from exporter.contracts.settings import settings_rows
from ingest.root import Root


def show_windows(db: DuckDBPyConnection, root: Root) -> None:
    """The maintenance windows as a temporary table of that name."""
    db.execute(
        "create or replace temp table maintenance_windows (check_key varchar, "
        "started_at timestamp, ended_at timestamp, reason varchar)"
    )
    for row in settings_rows(root)["maintenance_windows"]:
        db.execute(
            "insert into maintenance_windows by name select "
            "$check_key as check_key, $started_at::timestamp as started_at, "
            "$ended_at::timestamp as ended_at, $reason as reason",
            dict(row),
        )


def public_names(root: Root) -> dict[str, str]:
    """The names under which checks are shown to all, beside the fixed ones."""
    return {
        row["check_key"]: row["public_name"]
        for row in settings_rows(root)["public_checks"]
        if row["check_key"] and row["public_name"]
    }
