"""What is in many Parquet files: few queries, and file by file where one fails."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from exporter.contracts.datasets import Dataset
from exporter.publish.landing_views import literal_path
from exporter.publish.published import looks_whole
from exporter.runtime.errors import first_line

# Files of one query.
FILES_AT_ONCE = 5000


@dataclass(frozen=True, slots=True)
class Rows:
    """How many rows a file has, and of which days."""

    count: int
    first_day: date | None
    last_day: date | None


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A file that DuckDB cannot read, and what it says of it."""

    why: str


class Contents:
    """Reads files below a storage. Paths are relative to it."""

    def __init__(self, storage: Path) -> None:
        self.storage = storage
        self.db = duckdb.connect()

    def footers(self, paths: Iterable[str]) -> dict[str, dict[str, str] | Unreadable]:
        """The key-value metadata of each file's footer."""
        query = """
            select
                file_name,
                map_from_entries(
                    list((decode(key), decode(value))) filter (key is not null)
                ),
            from parquet_kv_metadata($1)
            group by file_name
        """
        found = self._each(list(paths), query)
        return {
            path: row if isinstance(row, Unreadable) else dict(row[0] or {})
            for path, row in found
        }

    def rows(
        self, dataset: Dataset, paths: Iterable[str]
    ) -> dict[str, Rows | Unreadable]:
        """Read each file to its end, all columns of its contract."""
        read = ", ".join(f'max(hash("{c.name}"))' for c in dataset.columns)
        query = f"""
            select
                path_of_file,
                count(*),
                min(date_partition),
                max(date_partition),
                {read},
            from read_parquet(
                $1, hive_partitioning = false, filename = 'path_of_file'
            )
            group by path_of_file
        """
        found = dict(self._each(wanted := list(paths), query))
        return {
            path: Rows(0, None, None)
            if (row := found.get(path)) is None  # a file without rows
            else row
            if isinstance(row, Unreadable)
            else Rows(*row[:3])
            for path in wanted
        }

    def machines(self, paths: Iterable[str]) -> dict[str, set[str]]:
        """What the rows of marts name as their machine, as their footers say."""
        query = """
            select
                file_name,
                list_distinct(flatten(list([stats_min_value, stats_max_value]))),
            from parquet_metadata($1)
            where path_in_schema = 'machine'
            group by file_name
        """
        return {
            path: {name for name in row[0] if name is not None}
            for path, row in self._each(list(paths), query)
            if not isinstance(row, Unreadable)
        }

    def _each(
        self, paths: list[str], query: str
    ) -> Iterator[tuple[str, Sequence[Any] | Unreadable]]:
        full = {f"{self.storage}/{path}": path for path in paths}

        def run(some: list[str]) -> list[Any]:
            return self.db.execute(query, [list(map(literal_path, some))]).fetchall()

        for start in range(0, len(paths), FILES_AT_ONCE):
            some = list(full)[start : start + FILES_AT_ONCE]
            for name, row in _halving(run, some):
                yield full[name], row


def _halving(
    run: Callable[[list[str]], list[Any]], paths: list[str]
) -> Iterator[tuple[str, Sequence[Any] | Unreadable]]:
    """One junk file spoils the whole query: then each half is asked alone."""
    try:
        rows = run(paths)
    except duckdb.Error as error:
        whole = [path for path in paths if looks_whole(path)]
        if len(paths) == 1:
            yield paths[0], Unreadable(first_line(error))
        elif len(whole) < len(paths):
            for path in sorted({*paths} - {*whole}):
                yield path, Unreadable("it has no footer")
            if whole:
                yield from _halving(run, whole)
        else:
            middle = len(paths) // 2
            yield from _halving(run, paths[:middle])
            yield from _halving(run, paths[middle:])
    else:
        for name, *row in rows:
            yield name, row
