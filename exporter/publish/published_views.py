"""The published files as DuckDB views, one per dataset, and a table of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
from duckdb import DuckDBPyConnection

from exporter.contracts.datasets import Column, Table
from exporter.publish.gathered import Gathered
from exporter.publish.landing_views import literal_path, quote
from exporter.publish.ledger import PublishedFile
from exporter.publish.mart_plan import Read
from exporter.publish.published import stands_alone
from ingest import files
from ingest.root import Root

# A file by the name of its dataset or mart, day and path.
Found = tuple[str, date | None, str, PublishedFile]
# By the day that is to be made.
Reads = Mapping[date | None, Read]

TABLE = """
create schema if not exists publishing;
create or replace table publishing.published_days (
    dataset varchar, day date, path varchar, row_count bigint,
    landed_records bigint, keeps_rows boolean, source_fingerprint varchar,
    parquet_bytes bigint,
);
"""


def insert(db: DuckDBPyConnection, table: str, rows: list[list[Any]]) -> None:
    """Insert rows by column: one statement, whatever their number."""
    if rows:
        marks = ", ".join("unnest(?)" for _ in rows[0])
        columns = [list(column) for column in zip(*rows, strict=True)]
        db.execute(f"insert into {table} select {marks}", columns)


def fill(db: DuckDBPyConnection, found: Iterable[Found]) -> None:
    """Put files into the table, which knows none of them."""
    rows = [
        [
            dataset, day, path, file.row_count,
            int(file.metadata.get("landed_records", 0)), "kept" in file.metadata,
            file.metadata.get("source_fingerprint"), file.bytes,
        ]
        for dataset, day, path, file in found
    ]  # fmt: skip
    insert(db, "publishing.published_days", rows)


def add(db: DuckDBPyConnection, dataset: str, done: list[Found]) -> list[str]:
    """Put files of a dataset into the table in place of those of their paths; returns
    the paths of all that it knows, by day."""
    db.execute(
        "delete from publishing.published_days "
        "where dataset = ? and list_contains(?, path)",
        [dataset, [path for _, _, path, _ in done]],
    )
    fill(db, done)
    rows = db.execute(
        "select path from publishing.published_days where dataset = ? order by day",
        [dataset],
    ).fetchall()
    return [path for (path,) in rows]


def show(
    db: DuckDBPyConnection,
    root: Root,
    table: Table,
    paths: Sequence[str],
    schema: str,
    blanks: Path | None,
) -> None:
    """Create a table's view over files; typed, maybe empty.

    It shows the files of later runs, too, as long as nothing else lies among them.
    With a folder for `blanks` it shows these alone, but others all the same where a
    connection says so (`Narrow`): a file without rows stands for none.
    """
    if paths and blanks is None and stands_alone(root, table, paths):
        try:
            pattern = literal_path(f"{root.path}/") + table.glob
            _create(db, table, schema, [pattern])
            return
        except duckdb.Error:
            pass  # a file has gone since
    full = [literal_path(f"{root.path}/{path}") for path in paths]
    if blanks and not full:
        full = [make_blank(db, blanks, table)]
    _create(db, table, schema, full)


def stand_in(
    db: DuckDBPyConnection, name: str, columns: Iterable[Column], schema: str
) -> None:
    """Create a typed view without rows, unless dbt has made the real one."""
    query = _empty(columns)
    db.execute(f"create view if not exists {schema}.{name} as {query}")


def _create(
    db: DuckDBPyConnection, table: Table, schema: str, shown: list[str]
) -> None:
    if shown:
        shown_sql = f"[{', '.join(map(quote, shown))}]"
        query = (
            f"from read_parquet(coalesce(getvariable('shown').{table.name}, "
            f"{shown_sql}), hive_partitioning = false)"
        )
    else:
        query = _empty(table.columns)
    db.execute(f"create or replace view {schema}.{table.name} as {query}")


def _empty(columns: Iterable[Column]) -> str:
    cells = (f'null::{c.type} as "{c.name}"' for c in columns)
    return f"select {', '.join(cells)} where false"


def make_blank(db: DuckDBPyConnection, folder: Path, table: Table) -> str:
    """A file of a table without rows, as DuckDB takes its path."""
    path = folder / f"{table.name}.parquet"
    if not path.exists():
        files.make_private_folder(folder)
        db.execute(
            f"copy ({_empty(table.columns)}) to {quote(str(path))} (format parquet)"
        )
    return literal_path(str(path))


class Narrow:
    """Lets a connection's views of published tables show only what the files of a
    mart are made from.

    `reads` says of each day that is to be made which days of which input; what is
    one file reads whole months as they are `gathered`.
    """

    def __init__(
        self,
        root: Root,
        blanks: Path,
        tables: Mapping[str, Table],
        reads: Reads,
        gathered: Gathered,
    ) -> None:
        self.root = root
        self.blanks = blanks
        self.tables = tables
        self.reads = reads
        self.gathered = gathered

    def to(self, db: DuckDBPyConnection, days: Iterable[date | None]) -> None:
        made = set(days)
        read_days: dict[str, set[date | None]] = {
            name: set() for read in self.reads.values() for name in read
        }
        for day in made:
            for name, its_days in self.reads[day].items():
                read_days[name].update(its_days)
        shown: dict[str, list[str] | None] = dict.fromkeys(self.tables)
        for name, some in read_days.items():
            paths = self._paths(db, name, some, None in made)
            full = list(map(literal_path, paths))
            shown[name] = full or [make_blank(db, self.blanks, self.tables[name])]
        db.execute("set variable shown = $shown", {"shown": shown})

    def _paths(
        self,
        db: DuckDBPyConnection,
        name: str,
        days: set[date | None],
        is_single: bool,
    ) -> list[str]:
        dated = [day for day in days if day is not None]
        if is_single and dated:
            return self.gathered.paths(db, name, dated)
        return sorted(f"{self.root.path}/{self.tables[name].file(d)}" for d in days)

    def widen(self, db: DuckDBPyConnection) -> None:
        """Show again what the views show to all."""
        db.execute("reset variable shown")
