"""The files that the present is reckoned from, as tables of a DuckDB connection."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import duckdb

from exporter.answers.tables import published
from exporter.contracts.datasets import Table
from exporter.publish.landing_views import quote
from ingest import advice
from ingest.root import Root


@dataclass
class Files:
    """What is published below a root. `notes` tells of files that cannot be read."""

    root: Root
    notes: list[str] = field(default_factory=list)

    def days(self, name: str) -> dict[date, str]:
        """The files of a dataset or daily mart, by their day, oldest first."""
        of = contract(name)
        # As text: a Path of each of thousands would take longer than to list them.
        folder = f"{self.root.path}/{of.folder}"
        try:
            names = sorted(os.listdir(folder))
        except OSError:
            return {}
        found = {}
        for match in filter(None, map(of.name_pattern.fullmatch, names)):
            try:
                day = date.fromisoformat(match[1])
            except ValueError:
                continue
            found[day] = f"{folder}/{match[0]}"
        return found

    def only(self, name: str) -> list[str]:
        """The only file of a mart, if it is there."""
        path = f"{self.root.path}/{contract(name).path}"
        return [path] if os.path.exists(path) else []

    def load(
        self, db: duckdb.DuckDBPyConnection, name: str, paths: Iterable[str]
    ) -> None:
        """Make a table of a contract's columns, with the rows of some files."""
        of = contract(name)
        cells = ", ".join(f'"{column.name}" {column.type}' for column in of.columns)
        db.execute(f"create table {name} ({cells})")
        self.add(db, name, list(paths))

    def add(
        self, db: duckdb.DuckDBPyConnection, name: str, paths: Sequence[str]
    ) -> None:
        """Add the rows of some files; one that cannot be read is noted."""
        # To open a pipe would wait for its other end.
        whole = list(filter(os.path.isfile, paths))
        for path in paths:
            if path not in whole and os.path.exists(path):
                self._tell_damaged(path)
        try:
            self._insert(db, name, whole)
        except duckdb.Error:
            for path in whole:
                try:
                    self._insert(db, name, [path])
                except duckdb.Error:
                    if os.path.exists(path):  # else a run has just taken it away
                        self._tell_damaged(path)

    def _insert(
        self, db: duckdb.DuckDBPyConnection, name: str, paths: Sequence[str]
    ) -> None:
        if paths:
            listed = ", ".join(map(quote, paths))
            db.execute(
                f"insert into {name} by name select * from read_parquet("
                f"[{listed}], hive_partitioning = false, union_by_name = true)"
            )

    def _tell_damaged(self, path: str) -> None:
        shown = self.root.relative(Path(path))
        said = f"{shown} cannot be read, and is left out; to have it made again"
        self.notes.append(advice.run(said, self.root, "export"))


def contract(name: str) -> Table:
    """That of a dataset or mart."""
    found = published(name)
    assert found is not None, name
    return found
