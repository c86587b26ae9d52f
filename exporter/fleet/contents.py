"""What is in many Parquet files: few queries, and file by file where one fails.

Nothing is asked of a file that was read before and has not changed since.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import duckdb

from exporter.contracts.datasets import Dataset
from exporter.fleet.kept_out import KeptOut
from exporter.fleet.memory import Memory
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

    @property
    def days(self) -> tuple[date | None, date | None]:
        return self.first_day, self.last_day


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A file that cannot be read, and why; one that is `closed` may be whole."""

    why: str
    closed: bool = False

    def kept_out(self, machine: str, path: str) -> KeptOut:
        make = KeptOut.closed if self.closed else KeptOut.damaged
        return make(machine, path, self.why)


class Contents:
    """Reads files below a memory's storage. Paths are relative to it."""

    def __init__(self, memory: Memory) -> None:
        self.memory = memory
        self.db = duckdb.connect()
        self.known: dict[str, Rows] = {}

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
        footers: dict[str, dict[str, str] | Unreadable] = {}
        unknown = []
        for path in paths:
            if (found := self.memory.get(path)) is None:
                unknown.append(path)
            else:
                footers[path], count, first, last = found
                self.known[path] = Rows(count, _day(first), _day(last))
        for path, row in self._each(unknown, query):
            footers[path] = row if isinstance(row, Unreadable) else dict(row[0] or {})
        return footers

    def rows(
        self, dataset: Dataset, footers: Mapping[str, dict[str, str]]
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
        unknown = [path for path in footers if path not in self.known]
        # One without rows is in no group.
        found: dict[str, Rows | Unreadable] = {
            path: self.known.get(path, Rows(0, None, None)) for path in footers
        }
        for path, row in self._each(unknown, query):
            found[path] = row if isinstance(row, Unreadable) else Rows(*row[:3])
        for path in unknown:
            if isinstance(rows := found[path], Rows):
                days = [str(day) if day else None for day in rows.days]
                self.memory.put(path, [footers[path], rows.count, *days])
        return found

    def machines(self, paths: Iterable[str]) -> dict[str, set[str] | Unreadable]:
        """What the rows of marts name as their machine, as their footers say."""
        query = """
            select
                file_name,
                list_distinct(flatten(list([stats_min_value, stats_max_value]))),
            from parquet_metadata($1)
            where path_in_schema = 'machine'
            group by file_name
        """
        named: dict[str, set[str] | Unreadable] = {}
        unknown = []
        for path in paths:
            if (found := self.memory.get(path)) is None:
                unknown.append(path)
            else:
                named[path] = {*found}
        rows = dict(self._each(unknown, query))
        for path in unknown:
            row = rows.get(path, ((),))  # a file without rows
            if isinstance(row, Unreadable):
                named[path] = row
            else:
                names = sorted(name for name in row[0] if name is not None)
                self.memory.put(path, names)
                named[path] = {*names}
        return named

    def _each(
        self, paths: list[str], query: str
    ) -> Iterator[tuple[str, Sequence[Any] | Unreadable]]:
        full = {f"{self.memory.storage}/{path}": path for path in paths}

        def run(some: list[str]) -> list[Any]:
            return self.db.execute(query, [list(map(literal_path, some))]).fetchall()

        there = []
        for path, name in full.items():
            if problem := _unopened(path):
                yield name, problem
            else:
                there.append(path)
        for start in range(0, len(there), FILES_AT_ONCE):
            for name, row in _halving(run, there[start : start + FILES_AT_ONCE]):
                yield full[name], row


def _unopened(path: str) -> Unreadable | None:
    """What is wrong with a file before it is opened."""
    try:
        status = os.stat(path)
    except FileNotFoundError:
        return Unreadable("it is no file")
    except OSError as error:
        return Unreadable(str(error.strerror), closed=True)
    # To open a pipe would wait for its other end.
    if not stat.S_ISREG(status.st_mode):
        return Unreadable("it is no file")
    if not os.access(path, os.R_OK):
        return Unreadable(os.strerror(errno.EACCES), closed=True)
    return None


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


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None
