"""A fleet's marts on Spark: computed by it, checked, and moved into their places."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from exporter.fleet.build import BrokenMart, Build
from exporter.fleet.partitions import FOLDER
from exporter.fleet.recipes import Recipe
from exporter.fleet.spark_inputs import literal, local, show_inputs, spark_type
from exporter.publish.landing_views import literal_path

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

DAY = "date_partition"


def start_session(configuration: Mapping[str, Any]) -> SparkSession:
    """The session that Spark's own configuration describes, where
    `configuration` says nothing."""
    # Who has one machine has no Spark.
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.appName("ops-atomic fleet")
    for name, value in configuration.items():
        builder = builder.config(name, value)
    return builder.getOrCreate()


def make_mart(build: Build, spark: SparkSession, mart: Recipe, sql: str) -> int:
    """Make a mart as a whole, or what is stale of a daily one. Returns how many
    files were put into their places.

    What breaks its contract leaves all as it was. Raises BrokenMart, OSError, and
    what Spark raises.
    """
    days = None
    if mart.is_daily:
        build.remove_left_over(mart.name)
        days = [*build.stale(mart.name)]
        if not days:
            return 0
    # Of its own, because models may be made side by side.
    session = spark.newSession()
    set_variables(session, build, days)
    show_inputs(session, build, sql, build.reads(mart.name, days) if days else None)
    rows = _typed(mart, session.sql(sql))
    staging = build.marts.staged(mart.name)
    # Behind a name that begins with a point Spark would find nothing.
    top = staging / "rows"
    _write(mart, rows, days, top)
    _audit(mart, session, top)
    files = dict(_written(top))
    for day in [None] if days is None else days:
        path, count = files.get(day, (top, 0))
        build.put(mart.name, day, path, count)
    if days is not None:
        build.marts.record(mart.name, build.made[mart.name], staging)
    build.marts.clear(staging)
    return len(files)


def set_variables(session: SparkSession, build: Build, days: list[date] | None) -> None:
    """What macros ask for: the present moment, and the days that are made."""
    # Literals, so that the optimizer sees which partitions are read.
    array = ", ".join(f"date '{day}'" for day in days or ())
    session.sql(
        "declare variable publishing_as_of timestamp_ntz = "
        f"timestamp_ntz '{build.now:%Y-%m-%d %H:%M:%S.%f}'"
    )
    session.sql(
        "declare variable publishing_days array<date> = "
        + (f"array({array})" if days else "null")
    )


def _typed(mart: Recipe, rows: DataFrame) -> DataFrame:
    """The rows with the contract's columns, in its order and types."""
    names = [column.name for column in mart.columns]
    if sorted(rows.columns) != sorted(names):
        found = ", ".join(rows.columns)
        raise BrokenMart(f"{mart.name}: its columns are {found}: not its contract's")
    return rows.selectExpr(
        *(f"cast(`{c.name}` as {spark_type(c)}) as `{c.name}`" for c in mart.columns)
    )


def _write(mart: Recipe, rows: DataFrame, days: list[date] | None, top: Path) -> None:
    """One file in all, or one a day, in the mart's order."""
    order = dict.fromkeys([*mart.order_by, *(c.name for c in mart.columns)])
    if days is None:
        writer = rows.repartition(1).sortWithinPartitions(*order).write
    else:
        its = rows.where(rows[DAY].isin(days)).repartition(DAY)
        order.pop(DAY)
        writer = its.sortWithinPartitions(DAY, *order).write.partitionBy(DAY)
    # Else a user's setting might part a day's file.
    writer.option("maxRecordsPerFile", 0).parquet(local(top), compression="snappy")


def _audit(mart: Recipe, session: SparkSession, top: Path) -> None:
    """Raise BrokenMart where a key is not unique among the rows that were written."""
    if mart.key:
        found = session.read.parquet(literal(top)).groupBy(*mart.key).count()
        if broken := found.where("count > 1").count():
            key = ", ".join(f'"{name}"' for name in mart.key)
            raise BrokenMart(f"{mart.name}: {key} is not unique {broken} time(s)")


def _written(top: Path) -> Iterator[tuple[date | None, tuple[Path, int]]]:
    """(day, (file, rows)) of what Spark has written."""
    db = duckdb.connect()
    for path in sorted(top.rglob("*.parquet")):
        footer = db.execute(
            "select num_rows from parquet_file_metadata($path)",
            {"path": literal_path(str(path))},
        ).fetchone()
        assert footer is not None
        match = FOLDER.fullmatch(path.parent.name)
        yield date.fromisoformat(match[1]) if match else None, (path, footer[0])
