"""A fleet's marts, by their files alone."""

from __future__ import annotations

import math
from collections.abc import Collection
from pathlib import Path
from typing import Any

import duckdb

from exporter.fleet.recipes import Recipe, load_recipes


def assert_equal(some: Path, others: Path, names: Collection[str] = ()) -> None:
    """Both hold the same rows of every mart, or of some; DOUBLEs to 1e-9."""
    recipes = load_recipes()
    for mart in map(recipes.__getitem__, names or recipes):
        ours, theirs = rows(others, mart), rows(some, mart)
        assert len(theirs) == len(ours), mart.name
        for one, other in zip(ours, theirs, strict=True):
            assert all(map(alike, one, other)), (mart.name, one, other)


def rows(marts: Path, mart: Recipe) -> list[tuple[Any, ...]]:
    """A mart's rows, in an order in which the last digits of DOUBLEs do not count."""
    names = ", ".join(f'"{column.name}"' for column in mart.columns)
    below = "date_partition=*/" if mart.is_daily else ""
    found = duckdb.execute(
        f"select {names} from read_parquet("
        f"'{marts}/{mart.name}/{below}*.parquet', hive_partitioning = {mart.is_daily})"
    ).fetchall()
    return sorted(found, key=lambda row: [*map(rough, row)])


def rough(cell: Any) -> str:
    return f"{cell:.5g}" if isinstance(cell, float) else repr(cell)


def alike(one: Any, other: Any) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-9)
    return type(one) is type(other) and bool(one == other)
