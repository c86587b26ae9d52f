"""The days of a month as one file, so that what reads years of days opens few.

`g/analytics/state/gathered/<table>/<yyyymm>.<what it is of>.<its bytes>.parquet`,
both as digests: it holds what the month's published files hold and nothing else,
and counts only as long as both are so. It is made where a mart reads a whole month
that is over, and again when one of its days has changed.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Mapping
from datetime import date
from itertools import groupby
from pathlib import Path

import duckdb
from duckdb import DuckDBPyConnection

from exporter.contracts.datasets import Table
from exporter.publish.landing_views import literal_path, quote
from exporter.publish.ledger import PublishedFile
from ingest import files
from ingest.root import Root
from ingest.store.digests import digest

# So few files are read as they are.
FEW = 62
MARK_CHARS = 16

Known = Mapping[date | None, PublishedFile | None]


class Gathered:
    """`known` are the files of each table by day, as they are now."""

    def __init__(
        self, root: Root, tables: Mapping[str, Table], known: Mapping[str, Known]
    ) -> None:
        self.root = root
        self.tables = tables
        self.known = known
        self.guard = threading.Lock()

    def paths(
        self, db: DuckDBPyConnection, name: str, days: Iterable[date]
    ) -> list[str]:
        """The files that hold just these days of a table, which all have one."""
        wanted = sorted(days)
        if len(wanted) <= FEW:
            return [self._path_of(name, day) for day in wanted]
        with self.guard:
            return self._in_months(db, name, wanted)

    def _path_of(self, name: str, day: date) -> str:
        return f"{self.root.path}/{self.tables[name].file(day)}"

    def _in_months(
        self, db: DuckDBPyConnection, name: str, wanted: list[date]
    ) -> list[str]:
        folder = self.root.state / "gathered" / name
        kept = _names_by_month(folder)
        whole = _by_month(day for day in self.known[name] if day)
        _remove(folder, [kept[month] for month in kept.keys() - whole.keys()])
        found = []
        for month, its_days in _by_month(wanted).items():
            path = None
            if its_days == whole[month] and its_days[-1] < wanted[-1]:
                path = self._month(db, name, month, its_days, kept.get(month, []))
            found += [path] if path else [self._path_of(name, d) for d in its_days]
        return found

    def _month(
        self,
        db: DuckDBPyConnection,
        name: str,
        month: str,
        days: list[date],
        kept: list[str],
    ) -> str | None:
        """A month's file, made where it is not there; None where it cannot be."""
        table, known = self.tables[name], self.known[name]
        marks = [table.shape]
        for day in days:
            file = known[day]
            marks.append(f"{day} {file.checksum if file else None}")
        folder = self.root.state / "gathered" / name
        begin = f"{month}.{digest(marks)[:MARK_CHARS]}."
        for other in kept:
            if other.startswith(begin) and _is_whole(folder / other):
                return str(folder / other)
        try:
            _remove(folder, [kept])
            with files.write_aside(folder, month) as made:
                shown = [literal_path(self._path_of(name, day)) for day in days]
                db.execute(
                    f"copy (from read_parquet([{', '.join(map(quote, shown))}], "
                    f"hive_partitioning = false)) to {quote(str(made))} "
                    "(format parquet)"
                )
                made.chmod(0o600)
                place = folder / f"{begin}{files.checksum(made):08x}.parquet"
                os.replace(made, place)
                return str(place)
        except (OSError, duckdb.IOException):
            return None  # the disk is full: nothing hangs on it


def _by_month(days: Iterable[date]) -> dict[str, list[date]]:
    grouped = groupby(sorted(days), key=lambda day: f"{day.year:04}{day.month:02}")
    return {month: list(its_days) for month, its_days in grouped}


def _names_by_month(folder: Path) -> dict[str, list[str]]:
    """The files that are kept, by month."""
    found: dict[str, list[str]] = {}
    if folder.is_dir():
        for name in sorted(os.listdir(folder)):
            found.setdefault(name.partition(".")[0], []).append(name)
    return found


def _remove(folder: Path, names: Iterable[Iterable[str]]) -> None:
    for name in (name for each in names for name in each):
        (folder / name).unlink(missing_ok=True)


def _is_whole(path: Path) -> bool:
    try:
        return path.name.endswith(f".{files.checksum(path):08x}.parquet")
    except OSError:
        return False
