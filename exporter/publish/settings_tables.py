"""What dbt is shown of settings: the rows in force, of seeds that have any."""

from __future__ import annotations

from duckdb import DuckDBPyConnection

from exporter.contracts.settings import Settings, settings_seeds
from exporter.publish.published_views import insert


def show_settings(db: DuckDBPyConnection, settings: Settings) -> None:
    """Create `settings.<seed>`, tables of text under the seeds' columns."""
    db.execute("create schema if not exists settings")
    for name, seed in settings_seeds().items():
        cells = ", ".join(f'"{column}" varchar' for column in seed.columns)
        db.execute(f"create or replace table settings.{name} ({cells})")
        rows = [[row[column] for column in seed.columns] for row in settings.rows[name]]
        insert(db, f"settings.{name}", rows)
