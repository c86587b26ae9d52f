"""All that is published as views on any DuckDB connection."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from glob import glob
from pathlib import Path

from duckdb import DuckDBPyConnection

from exporter.contracts.datasets import Column, Table, load_datasets, shape_of
from exporter.contracts.marts import load_marts
from exporter.contracts.schema import doc_blocks, plain
from exporter.publish.landing_views import literal_path, quote
from exporter.publish.ledger import Look, open_ledger
from exporter.publish.published import is_ours, read_footers
from ingest.root import PROJECT, Root

DIGITS = {"{yyyymmdd}": 8, "{yyyy}": 4, "{mm}": 2}


@dataclass(frozen=True)
class Shown:
    """What a view shows: a dataset or a mart. `path` is that of its files."""

    name: str
    description: str
    path: str
    columns: tuple[Column, ...]

    @property
    def pattern(self) -> str:
        """All its files, relative to the root, and nothing that is named otherwise."""
        return re.sub(r"\{\w+\}", lambda part: "[0-9]" * DIGITS[part[0]], self.path)

    @property
    def shape(self) -> str:
        return shape_of([(c.name, c.type) for c in self.columns], ["SNAPPY"])


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
                    f"comment on column {name}.{identifier(column)} is {quote(text)};"
                    for column, text in self.columns.items()
                ),
            ]
        )


def create_views(db: DuckDBPyConnection, root: Root) -> None:
    """Create a view per dataset and mart in the connection's schema.

    A view has the columns and types of the contract, whether there are files or
    not. Where all files are sound it goes by their names, so that it shows those
    of later runs, too; else it names the sound ones. Raises OSError, duckdb.Error
    and BrokenContract.
    """
    for view in published_views(root):
        db.execute(view.statements())


def published_views(root: Root, project: Path = PROJECT) -> list[View]:
    """The views of all datasets and marts, by name. Raises as create_views does."""
    blocks = doc_blocks(project)
    ledger = open_ledger(root, dry_run=True)
    try:
        known = ledger.looks()
    finally:
        ledger.give_up()
    return [
        View(
            shown.name,
            _query(shown, root, known),
            plain(shown.description, blocks),
            {
                column.name: plain(column.description, blocks)
                for column in shown.columns
            },
        )
        for shown in _all_shown(project)
    ]


def identifier(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _all_shown(project: Path) -> Iterable[Shown]:
    tables: list[Table] = [*load_datasets(project).values()]
    tables += load_marts(project).values()
    for made in tables:
        yield Shown(made.name, made.description, made.path, made.columns)


def _query(shown: Shown, root: Root, known: Mapping[str, Look]) -> str:
    found = sorted(glob(shown.pattern, root_dir=root.path))
    sound = _sound(shown, root, found, known)
    if sound and sound == dict.fromkeys(found, shown.shape):
        # The pattern shows what comes later, and misses nothing that goes.
        pattern = quote(literal_path(f"{root.path}/") + shown.pattern)
        cells = ", ".join(identifier(column.name) for column in shown.columns)
        return (
            f"select {cells}\nfrom read_parquet({pattern}, hive_partitioning = false)"
        )
    empty = _cells(shown, "null")
    if not sound:
        return f"select {empty}\nwhere false"
    paths = ",\n    ".join(quote(literal_path(f"{root.path}/{path}")) for path in sound)
    return f"""select {_cells(shown)}
from (
    select {empty}
    where false
    union all by name
    from read_parquet([
    {paths}
    ], hive_partitioning = false, union_by_name = true)
)"""


def _cells(shown: Shown, value: str | None = None) -> str:
    """Each column, or another value, as the contract types it."""
    named = [(identifier(column.name), column.type) for column in shown.columns]
    return ", ".join(f"{value or name}::{kind} as {name}" for name, kind in named)


def _sound(
    shown: Shown, root: Root, paths: Iterable[str], known: Mapping[str, Look]
) -> dict[str, str]:
    """Those of some files that can be read and are ours, each with its shape.

    One that looks as the ledger knows it is not opened.
    """
    shapes, doubtful = {}, []
    for path in paths:
        look = known.get(path)
        if look and look.is_of(root.path / path):
            shapes[path] = look.shape
        else:
            doubtful.append(path)
    for path, file in read_footers(root, doubtful).items():
        if file.shape == shown.shape or is_ours(file):
            shapes[path] = file.shape
    return {path: shapes[path] for path in paths if path in shapes}
