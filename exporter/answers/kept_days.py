"""The rows of a file a day each, kept from one run to the next."""

from __future__ import annotations

import functools
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb
from duckdb import DuckDBPyConnection

from exporter.answers.tables import Published, require_file
from exporter.publish.landing_views import quote
from ingest import files
from ingest.root import Root
from ingest.store.digests import digest

# By path, a file's size and time: as long as they stay, so do its rows.
Stamps = dict[str, list[int]]
KEY = "stamps"


@dataclass(frozen=True)
class KeptDays:
    """A query over the files of a day each, and where its rows are kept.

    Each file is read once, and again when it has changed: five years of them are
    thousands. What is kept is a file a year, so that a new day makes only its own
    year again; its footer says which files it holds the rows of. It holds nothing
    that these do not tell.
    """

    name: str
    sql: str
    source: Published
    folder: Path

    def place(self, year: str) -> Path:
        """Where a year is kept; another query, or other columns, begin anew."""
        return self.folder / f"{self.name}.{self._mark}.{year}.parquet"

    @functools.cached_property
    def _mark(self) -> str:
        return digest([self.sql, repr(self.source)])[:8]

    def load(self, db: DuckDBPyConnection, root: Root) -> None:
        """Make it a temporary table of its name. Raises duckdb.Error."""
        years = self._files(root)
        try:
            self._load(db, years, self._kept(db))
        except duckdb.Error:  # what was kept may be torn, or of somebody else
            self._load(db, years, {})

    def _load(
        self,
        db: DuckDBPyConnection,
        years: Mapping[str, Stamps],
        kept: Mapping[str, Stamps],
    ) -> None:
        stale = {year for year, stamps in years.items() if kept.get(year) != stamps}
        for year in stale:
            self._make(db, year, years[year], kept.get(year, {}))
        self.source.show(db, [])
        rows = [f"(select * from ({self.sql}) limit 0)"]
        if fresh := [quote(str(self.place(y))) for y in years if y not in stale]:
            rows.append(f"select * from read_parquet([{', '.join(fresh)}])")
        rows += [f"select * from {self._table(year)}" for year in sorted(stale)]
        db.execute(
            f"create or replace temp table {self.name} as "
            f"select * exclude (filename) from ({' union all by name '.join(rows)})"
        )
        for year in stale:
            db.execute(f"drop table {self._table(year)}")
        if stale or kept.keys() - years.keys():
            self._forget_all_but(years)

    def _files(self, root: Root) -> dict[str, Stamps]:
        """Those of each year."""
        years: dict[str, Stamps] = {}
        year_of = self.source.pattern.fullmatch
        for folder, _, names in os.walk(root.path / self.source.folder):
            for name in names:
                if (match := year_of(name)) is None:
                    continue
                path = f"{folder}/{name}"
                found = os.stat(path)
                require_file(path, found)
                stamps = years.setdefault(match[1], {})
                stamps[path] = [found.st_size, found.st_mtime_ns]
        return dict(sorted(years.items()))

    def _kept(self, db: DuckDBPyConnection) -> dict[str, Stamps]:
        """What is kept of each year."""
        named = self.folder.glob(self.place("*").name)
        years = {str(p): p.suffixes[-2][1:] for p in named if p.is_file()}
        if not years:
            return {}
        found = db.execute(
            "select file_name, decode(value) from parquet_kv_metadata($paths) "
            f"where decode(key) = '{KEY}'",
            {"paths": list(years)},
        ).fetchall()
        return {years[name]: json.loads(said) for name, said in found}

    def _table(self, year: str) -> str:
        return f"{self.name}_{year}"

    def _make(
        self, db: DuckDBPyConnection, year: str, stamps: Stamps, before: Stamps
    ) -> None:
        """A table of a year's rows, which is kept as well."""
        same = [path for path, stamp in stamps.items() if before.get(path) == stamp]
        self.source.show(db, [path for path in stamps if path not in {*same}])
        rows = f"select * from ({self.sql})"
        if same:
            place = quote(str(self.place(year)))
            listed = ", ".join(map(quote, same))
            rows += (
                f" union all by name select * from read_parquet({place}) "
                f"where filename in ({listed})"
            )
        table = self._table(year)
        db.execute(f"create or replace temp table {table} as {rows}")
        self._keep(db, year, stamps)

    def _keep(self, db: DuckDBPyConnection, year: str, stamps: Stamps) -> None:
        """Keep a year for the next time; nothing hangs on that."""
        place = self.place(year)
        footer = f"{{{KEY}: {quote(json.dumps(stamps))}}}"
        try:
            with files.write_aside(self.folder, place.name) as made:
                db.execute(
                    f"copy {self._table(year)} to {quote(str(made))} "
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
                other.unlink(missing_ok=True)
