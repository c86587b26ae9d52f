"""What is published, as views of a DuckDB connection."""

from __future__ import annotations

import functools
import os
import re
import stat
from dataclasses import dataclass

import duckdb
from duckdb import DuckDBPyConnection

from exporter.contracts.datasets import read_contract
from exporter.publish.landing_views import quote_path
from ingest.root import PROJECT, Root

MARTS = PROJECT / "models" / "marts"


@dataclass(frozen=True)
class Published:
    """An export or mart: where it lies below the root, and its columns by type."""

    name: str
    path: str
    columns: tuple[tuple[str, str], ...]

    @property
    def folder(self) -> str:
        """The lowest folder that holds all its files, relative to the root."""
        return self.path.partition("{")[0].rpartition("/")[0]

    @property
    def pattern(self) -> re.Pattern[str]:
        """Matches the base names of its files; group 1 is the year of a day's."""
        base = re.escape(self.path.rpartition("/")[2])
        return re.compile(re.sub(r"\\{\w+\\}", r"(\\d{4})\\d{4}", base))

    def show(self, db: DuckDBPyConnection, paths: list[str]) -> None:
        """A temporary view of its name over some of its files, maybe none."""
        cells = ", ".join(f'null::{kind} as "{name}"' for name, kind in self.columns)
        query = f"select {cells}, null::varchar as filename where false"
        if paths:
            query += f"""
                union all by name
                select * from read_parquet(
                    [{", ".join(map(quote_path, paths))}],
                    filename = true, hive_partitioning = false, union_by_name = true
                )"""
        db.execute(f"create or replace temp view {self.name} as {query}")

    def show_only_file(self, db: DuckDBPyConnection, root: Root) -> None:
        """The same over the only file of a mart, which may not be there yet.

        Raises duckdb.Error.
        """
        path = root.path / self.path
        if path.exists():
            require_file(str(path), path.stat())
        self.show(db, [str(path)] if path.exists() else [])


def require_file(path: str, found: os.stat_result) -> None:
    """Raise duckdb.IOException for what is no file, as DuckDB would for most of it:
    to open a pipe would wait for its other end."""
    if not stat.S_ISREG(found.st_mode):
        raise duckdb.IOException(f"{path} is no file: move it away")


@functools.cache
def published(name: str) -> Published | None:
    """The contract of an export or mart; None where there is none of that name."""
    for path in MARTS.glob(f"*/{name}.yml"):
        model = read_contract(path)
        columns = tuple((c["name"], c["data_type"]) for c in model["columns"])
        return Published(name, model["config"]["meta"]["path"], columns)
    return None
