"""All that is published as views on any DuckDB connection."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from glob import glob
from typing import TYPE_CHECKING

from exporter.contracts.datasets import Table
from exporter.contracts.kept import load_tables
from exporter.contracts.schema import doc_blocks, plain
from exporter.publish.landing_views import literal_path, quote, quote_path
from exporter.publish.ledger import Ledger, PublishedStat, open_ledger
from exporter.publish.published import is_ours, read_footers
from ingest.root import Root

if TYPE_CHECKING:  # a run with nothing to do does without
    from duckdb import DuckDBPyConnection

DIGITS = {"{yyyymmdd}": 8, "{yyyy}": 4, "{mm}": 2}


@dataclass(frozen=True)
class View:
    """A view's query, and what is said of it and of each column."""

    name: str
    query: str
    comment: str
    columns: Mapping[str, str]

    def statements(self) -> str:
        name = identifier(self.name)
        return "\n".join(
            [
                f"create or replace view {name} as\n{self.query};",
                f"comment on view {name} is {quote(self.comment)};",
                *(
                    comment_on(self.name, column, text)
                    for column, text in self.columns.items()
                ),
            ]
        )


def create_views(db: DuckDBPyConnection, root: Root) -> None:
    """Create a view per dataset and mart in the connection's schema.

    A view has the columns and types of the contract, whether there are files or
    not. Where all files are sound it goes by their names, so that it shows those
    of later runs, too; else it names the sound ones. Raises BrokenContract,
    OSError and duckdb.Error.
    """
    for view in published_views(root):
        db.execute(view.statements())


def published_views(root: Root, ledger: Ledger | None = None) -> list[View]:
    """The views of all datasets and marts. Raises as create_views does."""
    if ledger is None:
        copy = open_ledger(root, dry_run=True)
        try:
            return published_views(root, copy)
        finally:
            copy.give_up()
    known = ledger.published_stats()
    blocks = doc_blocks()
    datasets, marts = load_tables()
    return [
        View(
            table.name,
            _query(table, root, known),
            plain(table.description, blocks),
            {c.name: plain(c.description, blocks) for c in table.columns},
        )
        for table in (*datasets.values(), *marts.values())
    ]


def identifier(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def comment_on(view: str, column: str, text: str) -> str:
    """A statement that explains a column."""
    where = f"{identifier(view)}.{identifier(column)}"
    return f"comment on column {where} is {quote(text)};"


def _pattern(table: Table) -> str:
    """All files of a table, relative to the root, and nothing named otherwise."""
    return re.sub(r"\{\w+\}", lambda part: "[0-9]" * DIGITS[part[0]], table.path)


def _query(table: Table, root: Root, known: Mapping[str, PublishedStat]) -> str:
    found = sorted(glob(_pattern(table), root_dir=root.path))
    sound = _sound(table, root, found, known)
    if sound and list(sound) == found and table.shapes.issuperset(sound.values()):
        # The pattern shows what comes later, and misses nothing that goes.
        pattern = quote(literal_path(f"{root.path}/") + _pattern(table))
        cells = ", ".join(identifier(column.name) for column in table.columns)
        return (
            f"select {cells}\nfrom read_parquet({pattern}, hive_partitioning = false)"
        )
    empty = _cells(table, "null")
    if not sound:
        return f"select {empty}\nwhere false"
    paths = ",\n    ".join(quote_path(f"{root.path}/{path}") for path in sound)
    return f"""select {_cells(table)}
from (
    select {empty}
    where false
    union all by name
    from read_parquet([
    {paths}
    ], hive_partitioning = false, union_by_name = true)
)"""


def _cells(table: Table, value: str | None = None) -> str:
    """Each column, or another value, as the contract types it."""
    named = [(identifier(column.name), column.type) for column in table.columns]
    return ", ".join(f"{value or name}::{kind} as {name}" for name, kind in named)


def _sound(
    table: Table, root: Root, paths: Iterable[str], known: Mapping[str, PublishedStat]
) -> dict[str, str]:
    """Those of some files that can be read and are ours, each with its shape.

    One that looks as the ledger knows it is not opened.
    """
    shapes, doubtful = {}, []
    for path in paths:
        stat = known.get(path)
        if stat and stat.is_of(f"{root.path}/{path}"):
            shapes[path] = stat.shape
        else:
            doubtful.append(path)
    for path, file in read_footers(root, doubtful).items():
        if file.shape in table.shapes or is_ours(file):
            shapes[path] = file.shape
    return {path: shapes[path] for path in paths if path in shapes}
