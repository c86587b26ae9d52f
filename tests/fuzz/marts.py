"""Marts say what the exports say, where simple sums tell."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from tests.fuzz.shown import Row, Shown

Key = tuple[Any, ...]


def untrue_marts(shown: Shown, now: datetime) -> Iterator[str]:
    """Where a mart and the exports that it is made from do not agree.

    Of days to come, as a clock that is behind takes them, the files stay as they are.
    """
    queries = [row for row in shown.rows["query_perf"] if row["timestamp"] <= now]
    for mart, names in (
        ("query_perf_daily", ("date_partition", "query_hash")),
        ("workload_daily", ("date_partition", "table_name", "query_type")),
    ):
        took: dict[Key, float] = defaultdict(float)
        for row in queries:
            took[_key(row, names)] += row["execution_time_ms"]
        told = {_key(row, names): row for row in _until(now, shown.marts[mart])}
        runs = Counter(_key(row, names) for row in queries)
        yield from _differing(
            mart, runs, {key: row["executions"] for key, row in told.items()}
        )
        for key, row in told.items():
            if not math.isclose(row["total_ms"], took[key], abs_tol=1e-6):
                yield f"{mart}: {key} took {row['total_ms']} ms and not {took[key]}"
    yield from _data_quality(shown, now)
    advised = {
        (row["table_name"], row["recommended_index"])
        for row in shown.rows["index_advisor"]
        if row["timestamp"] <= now
    }
    names = ("table_name", "recommended_index")
    listed = {_key(row, names) for row in shown.marts["index_advice_lifecycle"]}
    for key in sorted(advised ^ listed, key=str):
        yield f"index_advice_lifecycle: {key} is in one of it and index_advisor"


def _data_quality(shown: Shown, now: datetime) -> Iterator[str]:
    names = ("date_partition", "dataset")
    for column in ("landed", "published", "duplicates", "rejected"):
        counted: Counter[Key] = Counter()
        for row in _until(now, shown.rows["landed_counts"]):
            counted[_key(row, names)] += row[column]
        told = {
            _key(row, names): row[column]
            for row in _until(now, shown.marts["data_quality_daily"])
        }
        yield from _differing(f"data_quality_daily, {column}", counted, told)


def _until(now: datetime, rows: list[Row]) -> Iterator[Row]:
    """The rows of days that have begun."""
    return (row for row in rows if row["date_partition"] <= now.date())


def _key(row: Row, names: tuple[str, ...]) -> Key:
    return tuple(row[name] for name in names)


def _differing(
    mart: str, counted: dict[Key, int], told: dict[Key, int]
) -> Iterator[str]:
    for key in sorted(counted.keys() | told.keys(), key=str):
        if counted.get(key) != told.get(key):
            yield f"{mart}: {key} is {told.get(key)} and not {counted.get(key)}"
