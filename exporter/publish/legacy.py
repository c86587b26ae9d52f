"""Parquet of another program at our paths: found, and read for its adoption.

The landing takes its rows (`ingest/loaders/legacy.py`). DuckDB is imported only
where there is such a file.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import partial

from exporter.contracts.datasets import Dataset
from exporter.publish.landing_views import literal_path
from exporter.publish.ledger import Ledger, PublishedFile
from exporter.publish.published import NamedFiles, is_ours, named_files, read_published
from ingest import advice
from ingest.loaders.legacy import LegacyFile, NotReadable
from ingest.root import Root
from ingest.sources.legacy_parquet import Row

# What is held in memory while a file is read.
ROWS_AT_ONCE = 2_000
MEMORY = "256MB"


@dataclass(frozen=True)
class Foreign:
    """A file of another program in the place of a dataset's day, or one kept
    beside that the ledger does not know to be landed. `path` is relative to the
    root."""

    root: Root
    path: str
    dataset: str
    day: date

    def __str__(self) -> str:
        said = f"{self.path}: made by another program, left alone until it is adopted"
        return advice.run(said, self.root, "export")


def foreign_files(
    root: Root,
    ledger: Ledger,
    dataset: Dataset,
    named: NamedFiles,
    found: Mapping[str, PublishedFile | None],
    again: bool = False,
) -> list[Foreign]:
    """Those among the files of a dataset; with `again` all that are kept beside."""
    foreign = [
        Foreign(root, path, dataset.name, day)
        for day, path in named.days.items()
        if (file := found.get(path)) and not is_ours(file)
    ]
    return foreign + [
        Foreign(root, path, dataset.name, day)
        for day, path in named.kept
        if again or not _is_landed(root, ledger, path)
    ]


def find_foreign(
    root: Root, ledger: Ledger, datasets: Mapping[str, Dataset], again: bool = False
) -> list[Foreign]:
    """Those among the files of all datasets."""
    foreign = []
    for dataset in datasets.values():
        named = named_files(root, dataset)
        found = read_published(root, ledger, dataset, named.days.items())
        foreign += foreign_files(root, ledger, dataset, named, found, again)
    return foreign


def to_adopt(foreign: Collection[Foreign]) -> list[LegacyFile]:
    """The same, as the landing takes them."""
    return [
        LegacyFile(
            file.path, file.dataset, file.day, partial(_rows, file.root, file.path)
        )
        for file in foreign
    ]


def forget_adopted(ledger: Ledger, foreign: Collection[Foreign]) -> None:
    """Forget what lay in their places before, once they lie there no more."""
    gone = [file.path for file in foreign if not (file.root.path / file.path).exists()]
    if gone:
        ledger.forget_published(gone)


def _is_landed(root: Root, ledger: Ledger, path: str) -> bool:
    seen = ledger.input(path)
    try:
        file_stat = (root.path / path).stat()
    except OSError:
        return True  # gone since we looked
    return seen is not None and (seen.bytes, seen.mtime_ns) == (
        file_stat.st_size, file_stat.st_mtime_ns
    )  # fmt: skip


def _rows(root: Root, path: str) -> Iterator[list[Row]]:
    """The rows of a file as text, some at a time. Raises NotReadable."""
    import duckdb

    file = [literal_path(f"{root.path}/{path}")]
    with duckdb.connect() as db:
        db.execute(f"set memory_limit = '{MEMORY}'")
        db.execute("set threads = 1")
        db.execute("set TimeZone = 'UTC'")
        try:
            rows = "read_parquet(?, hive_partitioning = false)"
            columns = db.execute(f"describe select * from {rows}", file).fetchall()
            cells = ", ".join(_as_text(name, kind) for name, kind, *_ in columns)
            found = db.execute(f"select {cells} from {rows}", file)
            names = [name for name, *_ in columns]
            while batch := found.fetchmany(ROWS_AT_ONCE):
                yield [dict(zip(names, row, strict=True)) for row in batch]
        except duckdb.Error as error:
            raise NotReadable(str(error)) from error


def _as_text(name: str, kind: str) -> str:
    column = '"' + name.replace('"', '""') + '"'
    if kind == "BLOB":  # text of a writer that does not say so
        return f"coalesce(try(decode({column})), {column}::varchar)"
    return f"{column}::varchar"
