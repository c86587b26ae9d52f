"""The published files as DuckDB views, one per dataset, and a table of them."""

from __future__ import annotations

from datetime import date
from typing import Any

import duckdb
from duckdb import DuckDBPyConnection

from exporter.contracts.datasets import Dataset
from exporter.publish.landing_views import literal_path, quote
from exporter.publish.ledger import PublishedFile
from exporter.publish.published import stands_alone
from ingest.root import Root

TABLE = """
create schema if not exists publishing;
create or replace table publishing.published_days (
    dataset varchar, day date, path varchar, row_count bigint,
    landed_records bigint, source_fingerprint varchar, parquet_bytes bigint,
);
"""


def insert(db: DuckDBPyConnection, table: str, rows: list[list[Any]]) -> None:
    """Insert rows by column: one statement, whatever their number."""
    if rows:
        marks = ", ".join("unnest(?)" for _ in rows[0])
        columns = [list(column) for column in zip(*rows, strict=True)]
        db.execute(f"insert into {table} select {marks}", columns)


def add(
    db: DuckDBPyConnection, dataset: str, done: list[tuple[date, str, PublishedFile]]
) -> None:
    """Put files, by day and path, into the table in place of those of their days."""
    db.execute(
        "delete from publishing.published_days "
        "where dataset = ? and list_contains(?::date[], day)",
        [dataset, [day for day, _, _ in done]],
    )
    rows = [
        [
            dataset, day, path, file.row_count,
            int(file.metadata.get("landed_records", 0)),
            file.metadata.get("source_fingerprint"), file.bytes,
        ]
        for day, path, file in done
    ]  # fmt: skip
    insert(db, "publishing.published_days", rows)


def show(
    db: DuckDBPyConnection,
    root: Root,
    dataset: Dataset,
    schema: str,
    by_pattern: bool,
) -> None:
    """Create a dataset's view over the files of the table; typed, maybe empty.

    `by_pattern` lets it show the files of later runs, too, as long as nothing
    else lies among them.
    """
    rows = db.execute(
        "select path from publishing.published_days where dataset = ? order by day",
        [dataset.name],
    ).fetchall()
    paths = [path for (path,) in rows]
    db.execute(f"create schema if not exists {schema}")
    if paths and by_pattern and stands_alone(root, dataset, paths):
        try:
            pattern = literal_path(f"{root.path}/") + dataset.glob
            _create(db, dataset, schema, quote(pattern))
            return
        except duckdb.Error:
            pass  # a file has gone since
    full = [quote(literal_path(f"{root.path}/{path}")) for path in paths]
    _create(db, dataset, schema, f"[{', '.join(full)}]" if full else "")


def _create(
    db: DuckDBPyConnection, dataset: Dataset, schema: str, files_sql: str
) -> None:
    if files_sql:
        query = f"from read_parquet({files_sql}, hive_partitioning = false)"
    else:
        cells = (f"null::{c.type} as {c.name}" for c in dataset.columns)
        query = f"select {', '.join(cells)} where false"
    db.execute(f"create or replace view {schema}.{dataset.name} as {query}")
