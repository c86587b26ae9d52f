"""What a mart's SQL reads on Spark: temporary views of a session of its own."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Mapping, Set
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from exporter.contracts.datasets import Column, Dataset
from exporter.contracts.settings import Row, settings_seeds
from exporter.contracts.yml import read_yml
from exporter.fleet.build import Build
from exporter.fleet.recipes import Recipe
from exporter.fleet.storage import PREFIX
from ingest.root import PROJECT

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

MACHINE = "machine"
TYPES = {"VARCHAR": "STRING", "JSON": "STRING", "TIMESTAMP": "TIMESTAMP_NTZ"}
# They act as a pattern in a path.
SPECIAL = re.compile(r"([\\{}\[\]*?])")


def spark_type(column: Column) -> str:
    """The type that a column has in Spark."""
    return TYPES.get(column.type, column.type)


def show_inputs(
    session: SparkSession, build: Build, sql: str, reads: Mapping[str, Set[date]] | None
) -> None:
    """A view of everything that some SQL names; of exports and daily marts only
    the days that are read, unless `reads` is None."""
    named = set(re.findall(r"\w+", sql))

    def days_of(name: str) -> Set[date] | None:
        return None if reads is None else reads.get(name, frozenset())

    for name in named & build.datasets.keys():
        frame = _export(session, build, build.datasets[name], days_of(name))
        frame.createOrReplaceTempView(name)
    for name in named & build.recipes.keys():
        frame = _mart(session, build, build.recipes[name], days_of(name))
        frame.createOrReplaceTempView(name)
    for path in sorted((PROJECT / "seeds").glob("*.yml")):
        if path.stem in named:
            columns, rows = _seed(build, path.stem)
            session.sql(_values(columns, rows)).createOrReplaceTempView(path.stem)


def _export(
    session: SparkSession, build: Build, dataset: Dataset, days: Set[date] | None
) -> DataFrame:
    """All machines' files that count, with `machine` before their columns."""
    # A run's record of the machine's name yields to the folder's.
    columns = [column for column in dataset.columns if column.name != MACHINE]
    paths = [
        f"{build.storage}/{one.file.path}"
        for one in build.checked.good
        if one.file.dataset == dataset.name and (days is None or one.file.day in days)
    ]
    if not paths:
        return session.sql(_values([Column(MACHINE, "VARCHAR", ""), *columns], ()))
    # The names of folders are no columns here, whatever they look like.
    read = session.read.schema(_schema(columns)).option("recursiveFileLookup", "true")
    return read.parquet(*map(literal, paths)).selectExpr(
        f"regexp_extract(_metadata.file_path, '.*/{PREFIX}([^/]+)/', 1) as {MACHINE}",
        *(f"`{column.name}`" for column in columns),
    )


def _mart(
    session: SparkSession, build: Build, mart: Recipe, days: Set[date] | None
) -> DataFrame:
    top = build.marts.place(mart.name, None)
    if mart.is_daily:
        there = build.marts.days(mart.name)
        shown = there if days is None else there & days
        places = [build.marts.place(mart.name, day) for day in sorted(shown)]
    else:
        places = [top]
    paths = [path for place in places for path in sorted(place.glob("*.parquet"))]
    if not paths:
        return session.sql(_values(mart.columns, ()))
    read = session.read.schema(_schema(mart.columns)).option("basePath", local(top))
    return read.parquet(*map(literal, paths)).select(
        *(column.name for column in mart.columns)
    )


def local(path: str | Path) -> str:
    """A path as Spark writes to it, whatever file system it takes for its own."""
    return f"file:{path}"


def literal(path: str | Path) -> str:
    """A path as Spark reads it, in which no character acts as a pattern."""
    return local(SPECIAL.sub(r"\\\1", str(path)))


def _schema(columns: Iterable[Column]) -> str:
    return ", ".join(f"`{column.name}` {spark_type(column)}" for column in columns)


def _seed(build: Build, name: str) -> tuple[list[Column], Iterable[Row]]:
    path = PROJECT / "seeds" / name
    document = read_yml(path.with_suffix(".yml"))
    types = document["seeds"][0]["config"]["column_types"]
    columns = [Column(column, kind.upper(), "") for column, kind in types.items()]
    if name in settings_seeds():
        return columns, build.settings.rows[name]
    with path.with_suffix(".csv").open(encoding="utf-8", newline="") as file:
        return columns, list(csv.DictReader(file))


def _values(columns: Iterable[Column], rows: Iterable[Row]) -> str:
    """A SELECT of rows, given as texts; an empty one is NULL."""
    columns = list(columns)
    names = ", ".join(f"`{column.name}`" for column in columns)
    cells = ", ".join(
        f"cast(`{column.name}` as {spark_type(column)}) as `{column.name}`"
        for column in columns
    )
    texts = [
        f"({', '.join(_text(row[column.name]) for column in columns)})" for row in rows
    ]
    nothing = f"({', '.join(['null'] * len(columns))})"
    return (
        f"select {cells} from values {', '.join(texts) or nothing} as texts ({names})"
        f"{'' if texts else ' where false'}"
    )


def _text(cell: str | None) -> str:
    if not cell:
        return "null"
    escaped = cell.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
