"""The rows of a file a day each, kept from one run to the next."""

from __future__ import annotations

import contextlib
import functools
import json
import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import duckdb
from duckdb import DuckDBPyConnection

from exporter.answers.tables import require_file, show
from exporter.contracts.datasets import Table
from exporter.publish.landing_views import literal_path, quote, quote_path
from ingest import files
from ingest.root import Root
from ingest.store.digests import digest

# By path, a file's size and time: as long as they stay, so do its rows.
Stamps = dict[str, list[int]]
KEY = "stamps"


class Kept(NamedTuple):
    """A year as it is kept: of which files, and what it looked like when it said so."""

    stamps: Stamps
    looks: tuple[int, int, int]


@dataclass(frozen=True)
class KeptDays:
    """A query over a root's files of a day each, whose rows are kept.

    Each file is read once, and again when it has changed: five years of them are
    thousands. What is kept is a file a year, so that a new day makes only its own
    year again; its footer says which files it holds the rows of. It holds nothing
    that these do not tell.
    """

    name: str
    sql: str
    source: Table
    root: Root

    @property
    def folder(self) -> Path:
        return self.root.state / "answers"

    def place(self, year: str) -> Path:
        """Where a year is kept; another query, or other columns, begin anew."""
        return self.folder / f"{self.name}.{self._mark}.{year}.parquet"

    @functools.cached_property
    def _mark(self) -> str:
        return digest([self.sql, self.source.path, self.source.shape])[:8]

    def load(self, db: DuckDBPyConnection) -> None:
        """Make it a temporary table of its name. Raises duckdb.Error."""
        years = self._files()
        kept = self._kept(db)
        show(db, self.source, [])
        db.execute(
            f"create or replace temp table {self.name} as "
            f"select * exclude (filename) from ({self.sql}) limit 0"
        )
        is_current = kept.keys() == years.keys()
        for year, stamps in years.items():
            before = kept.get(year)
            if before and before.stamps == stamps:
                if self._take(db, self.name, year, before):
                    continue
                before = None
            is_current = False
            self._make(db, year, stamps, before)
        if not is_current:
            self._forget_all_but(years)

    def _files(self) -> dict[str, Stamps]:
        """Those of each year."""
        years: dict[str, Stamps] = {}
        day_of = self.source.name_pattern.fullmatch
        for folder, _, names in os.walk(self.root.path / self.source.folder):
            for name in names:
                if (match := day_of(name)) is None:
                    continue
                path = f"{folder}/{name}"
                found = os.stat(path)
                require_file(path, found)
                stamps = years.setdefault(match[1][:4], {})
                stamps[path] = [found.st_size, found.st_mtime_ns]
        return dict(sorted(years.items()))

    def _kept(self, db: DuckDBPyConnection) -> dict[str, Kept]:
        """What is kept of each year, as far as it says so."""
        found = {}
        for place in self.folder.glob(self.place("*").name):
            year = place.suffixes[-2][1:]
            with contextlib.suppress(duckdb.Error, OSError, ValueError):
                looks = _looks_of(place)
                said = db.execute(
                    "select decode(value) from parquet_kv_metadata($path) "
                    f"where decode(key) = '{KEY}'",
                    {"path": literal_path(str(place))},
                ).fetchall()
                ((text,),) = said
                if isinstance(stamps := json.loads(text), dict):
                    found[year] = Kept(stamps, looks)
        return found

    def _take(
        self,
        db: DuckDBPyConnection,
        table: str,
        year: str,
        kept: Kept,
        only: Collection[str] | None = None,
    ) -> bool:
        """Whether the rows that are kept of a year, or of some files of it, could be
        added to a table: it may be torn, or just be made again by another process."""
        place = self.place(year)
        rows = f"read_parquet({quote_path(str(place))}, hive_partitioning = false)"
        cells, chosen = "* exclude (filename)", ""
        if only is not None:
            cells, chosen = "*", f"where filename in ({', '.join(map(quote, only))})"
        db.execute("begin")
        try:
            db.execute(
                f"insert into {table} by name select {cells} from {rows} {chosen}"
            )
            is_sound = _looks_of(place) == kept.looks
        except duckdb.OutOfMemoryException:
            db.execute("rollback")
            raise
        except (duckdb.Error, OSError):
            is_sound = False
        db.execute("commit" if is_sound else "rollback")
        return is_sound

    def _make(
        self, db: DuckDBPyConnection, year: str, stamps: Stamps, before: Kept | None
    ) -> None:
        """Add a year's rows, and keep them: of files that did not change those that
        were kept `before`."""
        made = f"{self.name}_{year}"
        known = before.stamps if before else {}
        same = {path for path, stamp in stamps.items() if known.get(path) == stamp}
        self._read(db, made, stamps.keys() - same)
        if same and before and not self._take(db, made, year, before, sorted(same)):
            self._read(db, made, stamps)
        self._keep(db, made, year, stamps)
        db.execute(
            f"insert into {self.name} by name select * exclude (filename) from {made}"
        )
        db.execute(f"drop table {made}")

    def _read(self, db: DuckDBPyConnection, table: str, paths: Collection[str]) -> None:
        show(db, self.source, paths)
        db.execute(f"create or replace temp table {table} as {self.sql}")

    def _keep(
        self, db: DuckDBPyConnection, table: str, year: str, stamps: Stamps
    ) -> None:
        """Keep a year for the next time; nothing hangs on that."""
        place = self.place(year)
        footer = f"{{{KEY}: {quote(json.dumps(stamps))}}}"
        try:
            files.make_private_folder(self.folder)
            with files.write_aside(self.root.staging, place.name) as made:
                db.execute(
                    f"copy {table} to {quote(str(made))} "
                    f"(format parquet, kv_metadata {footer})"
                )
                made.chmod(0o600)  # queries may hold what others are not to read
                os.replace(made, place)
        except (OSError, duckdb.IOException):
            return

    def _forget_all_but(self, years: Mapping[str, Stamps]) -> None:
        """Remove what was kept of other years, or by another query."""
        places = {self.place(year) for year in years}
        for other in self.folder.glob(f"{self.name}.*.parquet"):
            if other not in places:
                with contextlib.suppress(OSError):  # of a root that is only to be read
                    other.unlink()


def _looks_of(place: Path) -> tuple[int, int, int]:
    """Another after each time that it is made. Raises OSError, for what is no file
    as well: to open a pipe would wait for its other end."""
    found = place.stat()
    require_file(str(place), found)
    return found.st_ino, found.st_mtime_ns, found.st_size
