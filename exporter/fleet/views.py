"""A fleet's files as DuckDB views: of exports those that count, of marts all."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Set
from datetime import date
from glob import glob

from duckdb import BinderException, DuckDBPyConnection, Error

from exporter.contracts.datasets import Column, Dataset
from exporter.fleet.build import Build
from exporter.fleet.check import Good
from exporter.fleet.recipes import Recipe
from exporter.fleet.storage import PREFIX
from exporter.publish.landing_views import literal_path, quote
from exporter.runtime.errors import first_line

MACHINE = "machine"


def show_exports(db: DuckDBPyConnection, build: Build, schema: str) -> None:
    """A view per export, with `machine` before its columns.

    A connection narrows its own by the variable `fleet_<export>`, a list of paths.
    """
    by_dataset: dict[str, list[Good]] = defaultdict(list)
    for one in build.checked.good:
        by_dataset[one.file.dataset].append(one)
    for name, dataset in build.datasets.items():
        paths = [path_of(build, one) for one in by_dataset[name]]
        query = _export(build, dataset, paths)
        db.execute(f"create or replace view {schema}.{name} as {query}")


def path_of(build: Build, one: Good) -> str:
    """A file's path, in which no character acts as a pattern."""
    return literal_path(f"{build.storage}/{one.file.path}")


class Narrow:
    """Lets a connection's views of exports show the files of some days only."""

    def __init__(self, build: Build) -> None:
        self.paths: dict[str, list[tuple[date, str]]] = defaultdict(list)
        for one in build.checked.good:
            of_its = self.paths[one.file.dataset]
            of_its.append((one.file.day, path_of(build, one)))

    def to(self, db: DuckDBPyConnection, reads: Mapping[str, Set[date]]) -> None:
        for name, paths in self.paths.items():
            if name in reads:
                found = [path for day, path in paths if day in reads[name]]
                # Else one that is of no day of these: from none it cannot read.
                shown = found or [path for _, path in paths[:1]]
                db.execute(f"set variable fleet_{name} = $shown", {"shown": shown})

    def widen(self, db: DuckDBPyConnection) -> None:
        """Show all days again."""
        for name in self.paths:
            db.execute(f"reset variable fleet_{name}")


def show_mart(db: DuckDBPyConnection, build: Build, mart: Recipe, schema: str) -> None:
    """A view of a mart's files; typed, maybe empty."""
    top = build.marts.place(mart.name, None)
    below = "date_partition=*/" if mart.is_daily else ""
    pattern = f"{literal_path(str(top))}/{below}*.parquet"
    if glob(pattern):
        query = (
            f"select {_names(mart.columns)} from read_parquet({quote(pattern)}, "
            + (
                "hive_partitioning = true, hive_types = {'date_partition': date})"
                if mart.is_daily
                else "hive_partitioning = false)"
            )
        )
    else:
        query = _nothing(mart.columns)
    create = f"create or replace view {schema}.{mart.name} as "
    try:
        db.execute(create + query)
    except Error as error:
        # It is made anew before it is read, unless it is not among what is built.
        why = "was made by another version"
        if not isinstance(error, BinderException):
            why = f"cannot be read ({first_line(error)})"
        said = f"{mart.name} {why}: build it, too"
        db.execute(f"{create}{_nothing(mart.columns, f'error({quote(said)})')}")


def _export(build: Build, dataset: Dataset, paths: list[str]) -> str:
    # A run's record of the machine's name yields to the folder's.
    columns = [column for column in dataset.columns if column.name != MACHINE]
    if not paths:
        return _nothing([Column(MACHINE, "VARCHAR", ""), *columns])
    every = ", ".join(map(quote, paths))
    # The folder's name is the machine's: behind `<storage>/machine=`.
    start = len(f"{build.storage}/{PREFIX}") + 1
    return (
        f"select split_part(substr(path_of_file, {start}), '/', 1) as {MACHINE}, "
        f"{_names(columns)} from read_parquet("
        f"coalesce(getvariable('fleet_{dataset.name}'), [{every}]), "
        "hive_partitioning = false, filename = 'path_of_file')"
    )


def _names(columns: Iterable[Column]) -> str:
    return ", ".join(f'"{column.name}"' for column in columns)


def _nothing(columns: Iterable[Column], condition: str = "false") -> str:
    cells = (f'null::{column.type} as "{column.name}"' for column in columns)
    return f"select {', '.join(cells)} where {condition}"
