"""What is published, as tables of a DuckDB connection: the only file of a mart as a
view, those of a file a day as a table that is kept from one run to the next."""

from __future__ import annotations

import functools
import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
from duckdb import DuckDBPyConnection

from exporter.contracts.datasets import read_contract
from exporter.publish.landing_views import quote
from ingest import files
from ingest.root import PROJECT, Root
from ingest.store.digests import digest

MARTS = PROJECT / "models" / "marts"
# A file, its size and its time: as long as they stay, so do its rows.
STAMPS = """
    select
        unnest($names::varchar[]) as filename,
        unnest($sizes::bigint[]) as bytes,
        unnest($times::bigint[]) as modified_ns,
"""


@dataclass(frozen=True)
class Published:
    """An export or mart: where it lies below the root, and its columns by type."""

    name: str
    path: str
    columns: tuple[tuple[str, str], ...]

    @property
    def folder(self) -> str:
        """The lowest folder that holds all its files, relative to the root."""
        return self.path.partition("{")[0].rpartition("/")[0]

    @property
    def pattern(self) -> re.Pattern[str]:
        """Matches the base names of its files."""
        base = re.escape(self.path.rpartition("/")[2])
        return re.compile(re.sub(r"\\{\w+\\}", r"\\d{8}", base))

    def show(self, db: DuckDBPyConnection, paths: list[str]) -> None:
        """A temporary view of its name over some of its files, maybe none."""
        cells = ", ".join(f'null::{kind} as "{name}"' for name, kind in self.columns)
        query = f"select {cells}, null::varchar as filename where false"
        if paths:
            query += f"""
                union all by name
                select * from read_parquet(
                    [{", ".join(map(quote, paths))}],
                    filename = true, hive_partitioning = false, union_by_name = true
                )"""
        db.execute(f"create or replace temp view {self.name} as {query}")

    def show_only_file(self, db: DuckDBPyConnection, root: Root) -> None:
        """The same over the only file of a mart, which may not be there yet.

        Raises duckdb.Error.
        """
        path = root.path / self.path
        if path.exists():
            require_file(str(path), path.stat())
        self.show(db, [str(path)] if path.exists() else [])


def require_file(path: str, found: os.stat_result) -> None:
    """Raise duckdb.IOException for what is no file, as DuckDB would for most of it:
    to open a pipe would wait for its other end."""
    if not stat.S_ISREG(found.st_mode):
        raise duckdb.IOException(f"{path} is no file: move it away")


@functools.cache
def published(name: str) -> Published | None:
    """The contract of an export or mart; None where there is none of that name."""
    for path in MARTS.glob(f"*/{name}.yml"):
        model = read_contract(path)
        columns = tuple((c["name"], c["data_type"]) for c in model["columns"])
        return Published(name, model["config"]["meta"]["path"], columns)
    return None


@dataclass(frozen=True)
class Daily:
    """A query over the files of a day each, and where its rows are kept.

    Each file is read once, and again when it has changed: five years of them are
    thousands. What is kept holds nothing that these files do not tell.
    """

    name: str
    sql: str
    source: Published
    folder: Path

    @property
    def place(self) -> Path:
        """Where it is kept; another query, or other columns, begin anew."""
        mark = digest([self.sql, repr(self.source)])[:8]
        return self.folder / f"{self.name}.{mark}.parquet"

    def load(self, db: DuckDBPyConnection, root: Root) -> None:
        """Make it a temporary table of its name. Raises duckdb.Error."""
        names, sizes, times = [], [], []
        for path, seen in self._files(root):
            names.append(path)
            sizes.append(seen.st_size)
            times.append(seen.st_mtime_ns)
        stamped = {"names": names, "sizes": sizes, "times": times}
        db.execute(f"create or replace temp table stamps as {STAMPS}", stamped)
        self._begin(db)
        known = "(select distinct filename, bytes, modified_ns from kept)"
        ((gone,),) = db.execute(
            "delete from kept where (filename, bytes, modified_ns) not in "
            "(select (filename, bytes, modified_ns) from stamps)"
        ).fetchall()
        new = db.execute(
            f"select filename from stamps anti join {known} "
            "using (filename, bytes, modified_ns) order by filename"
        ).fetchall()
        if new:
            self._add(db, [path for (path,) in new])
        if new or gone:
            self._keep(db)
        db.execute(
            f"create or replace temp table {self.name} as "
            "select * exclude (bytes, modified_ns, has_row) from kept where has_row"
        )

    def _files(self, root: Root) -> Iterator[tuple[str, os.stat_result]]:
        is_ours = self.source.pattern.fullmatch
        for folder, _, names in os.walk(root.path / self.source.folder):
            for name in filter(is_ours, names):
                path = f"{folder}/{name}"
                found = os.stat(path)
                require_file(path, found)
                yield path, found

    def _begin(self, db: DuckDBPyConnection) -> None:
        """The table `kept`: the rows of each file, or one without a row."""
        self.source.show(db, [])
        db.execute(f"create or replace temp table kept as {self._rows()} limit 0")
        if not self.place.is_file():
            return
        try:
            db.execute(
                "insert into kept by name "
                f"select * from read_parquet({quote(str(self.place))})"
            )
        except duckdb.Error:
            db.execute("delete from kept")  # torn: read again

    def _add(self, db: DuckDBPyConnection, paths: list[str]) -> None:
        self.source.show(db, paths)
        listed = ", ".join(map(quote, paths))
        db.execute(
            f"insert into kept by name {self._rows()} "
            f"where stamps.filename in ({listed})"
        )

    def _rows(self) -> str:
        return (
            "select stamps.*, made.* exclude (filename), "
            "made.filename is not null as has_row "
            f"from stamps left join ({self.sql}) as made using (filename)"
        )

    def _keep(self, db: DuckDBPyConnection) -> None:
        """Keep it for the next time; nothing hangs on that."""
        try:
            with files.write_aside(self.folder, self.place.name) as made:
                db.execute(f"copy kept to {quote(str(made))} (format parquet)")
                made.chmod(0o600)  # queries may hold what others are not to read
                os.replace(made, self.place)
            for other in self.folder.glob(f"{self.name}.*.parquet"):
                if other != self.place:
                    other.unlink()
        except (OSError, duckdb.IOException):
            return
