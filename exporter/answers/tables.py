"""What is published, as views of a DuckDB connection."""

from __future__ import annotations

import os
import stat
from collections.abc import Collection

import duckdb
from duckdb import DuckDBPyConnection

from exporter.contracts.datasets import Table
from exporter.contracts.kept import load_tables
from exporter.publish.landing_views import quote_path
from ingest.root import Root


def published(name: str) -> Table | None:
    """The contract of an export or mart; None where there is none of that name.

    Raises BrokenContract.
    """
    datasets, marts = load_tables()
    return datasets.get(name) or marts.get(name)


def show(db: DuckDBPyConnection, table: Table, paths: Collection[str]) -> None:
    """A temporary view of its name over some of its files, maybe none, with the
    column `filename`."""
    cells = ", ".join(f'null::{c.type} as "{c.name}"' for c in table.columns)
    query = f"select {cells}, null::varchar as filename where false"
    if paths:
        query += f"""
            union all by name
            select * from read_parquet(
                [{", ".join(map(quote_path, sorted(paths)))}],
                filename = true, hive_partitioning = false, union_by_name = true
            )"""
    db.execute(f"create or replace temp view {table.name} as {query}")


def show_only_file(db: DuckDBPyConnection, table: Table, root: Root) -> None:
    """The same over the only file of a mart, which may not be there yet.

    Raises duckdb.Error.
    """
    path = root.path / table.path
    if path.exists():
        require_file(str(path), path.stat())
    show(db, table, [str(path)] if path.exists() else [])


def require_file(path: str, found: os.stat_result) -> None:
    """Raise duckdb.IOException for what is no file, as DuckDB would for most of it:
    to open a pipe would wait for its other end."""
    if not stat.S_ISREG(found.st_mode):
        raise duckdb.IOException(f"{path} is no file: move it away")
