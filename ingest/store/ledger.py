"""The ledger: what has been read, landed and published, as last seen on disk.

A cache and nothing more. The landing is the truth about what was read, the
Parquet footers are the truth about what was published; a ledger that is lost
or damaged is made again from them, at the price of reading everything once.
"""

from __future__ import annotations

import contextlib
import functools
import json
import sqlite3
import zlib
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from ingest.store import database
from ingest.store.database import DAMAGED

T = TypeVar("T")

# Another number means another layout: the ledger is then made again.
LAYOUT = 5

TABLES = """
create table parts (
    source text not null,
    day text not null,
    part text not null,
    bytes integer not null,
    mtime_ns integer not null,
    checksum integer not null,
    fingerprint text not null,
    parser text not null,
    counts text not null,
    source_bytes integer not null,
    dropped integer not null,
    first_at text not null,
    last_at text not null,
    judge_on text not null,
    keys blob not null,
    seal integer not null,
    primary key (source, day, part)
) without rowid;
create table inputs (
    path text primary key,
    source text not null,
    bytes integer not null,
    mtime_ns integer not null,
    position text,
    feeds text not null,
    seal integer not null
) without rowid;
create table doubted (
    day text primary key,
    seal integer not null
) without rowid;
create table published (
    path text primary key,
    bytes integer not null,
    mtime_ns integer not null,
    checksum integer not null,
    row_count integer not null,
    metadata text not null,
    shape text not null,
    seal integer not null
) without rowid;
create table rejects (
    day text not null,
    dataset text not null,
    reason text not null,
    records integer not null,
    seal integer not null,
    primary key (day, dataset, reason)
) without rowid;
create table drift (
    day text not null,
    source text not null,
    kind text not null,
    name text not null,
    files integer not null,
    seal integer not null,
    primary key (day, source, kind, name)
) without rowid;
"""
MAX_INTEGER = (1 << 63) - 1
# Each row ends with a checksum over its other cells.
SEALED = ("parts", "inputs", "doubted", "published", "rejects", "drift")


@dataclass(frozen=True)
class Part:
    """One file of the landing: what it holds and how it looks on disk.

    `counts` are landed records per dataset; `keys` are identities that must
    be found whatever their day (heartbeat names, summary versions, untimed
    lines); `checksum` is the CRC-32 of the file's bytes; `source_bytes` is the
    size of the inputs it was made from; `dropped` counts records that moved to
    another day or turned out to be the beginning of another one; `span` is the
    first and the last time that stands in its lines, empty without one;
    `judge_on` is the first day on which a reject for its date may be one no more.
    """

    source: str
    day: str
    part: str
    bytes: int
    mtime_ns: int
    checksum: int
    fingerprint: str
    parser: str
    counts: dict[str, int]
    source_bytes: int
    dropped: int = 0
    span: tuple[str, str] = ("", "")
    keys: list[str] = field(default_factory=list)
    judge_on: str = ""


@dataclass(frozen=True)
class SeenInput:
    """An input as it was when it was last read; `position` is for logs.

    `feeds` are the days, by source, whose parts hold what it says: should one of
    them be lost, the input is read again. Heartbeats are told by their names.
    """

    source: str
    bytes: int
    mtime_ns: int
    position: dict[str, Any] | None = None
    feeds: dict[str, list[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class PublishedFile:
    """A published file as it was left: its look on disk and its footer.

    `shape` stands for its columns, their types and how it is compressed.
    """

    bytes: int
    mtime_ns: int
    checksum: int
    row_count: int
    metadata: dict[str, str]
    shape: str


class Ledger:
    """The ledger file of one root; with no path, one in memory only.

    Raises OSError where it cannot be opened or written: only a ledger that is
    no ledger any more is made again. One that lies as this process left it is
    not checked once more.
    """

    # How the files looked that this process closed, by path.
    _left: ClassVar[dict[Path, tuple[int, int, int]]] = {}

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self.is_new = path is None or not path.exists()
        self.was_damaged = False
        self._remembered: dict[str, Any] = {}
        try:
            with database.told_as_os_error(path):
                self._open()
        except DAMAGED:
            self._close_quietly()
            self._start_again()

    def _open(self) -> None:
        self.db = database.connect(self.path)
        self._check(self.path)

    def _check(self, path: Path | None) -> None:
        is_as_left = path in self._left and self._left[path] == _file_stat(path)
        if not is_as_left and self._quick_check() != "ok":
            raise sqlite3.DatabaseError("quick_check failed")
        (layout,) = self._execute("pragma user_version").fetchone()
        if layout != LAYOUT:
            if layout or self._execute("select 1 from sqlite_master").fetchone():
                raise sqlite3.DatabaseError("another layout")
            self._make_tables()
        if not is_as_left:
            self._check_seals()

    def _make_tables(self) -> None:
        self.begin()
        for statement in TABLES.split(";"):
            self._execute(statement)
        self._execute(f"pragma user_version = {LAYOUT}")
        self.commit()
        self.is_new = True

    def _quick_check(self) -> str:
        (said,) = self._execute("pragma quick_check(1)").fetchone()
        return str(said)

    def _check_seals(self) -> None:
        """Find what no check of the file's structure can: changed cells."""
        for table in SEALED:
            for row in self._execute(f"select * from {table}"):
                if row[-1] != _seal(row[:-1]):
                    raise sqlite3.DatabaseError(f"a row of {table} has changed")

    def _close_quietly(self) -> None:
        db = getattr(self, "db", None)
        if db is not None:
            db.close()

    def _start_again(self) -> None:
        assert self.path is not None
        for name in ("", *database.COMPANIONS):
            self.path.with_name(self.path.name + name).unlink(missing_ok=True)
        self.path.touch(mode=0o600)
        self.is_new = True
        self.was_damaged = True
        self._open()

    @classmethod
    def copy_in_memory(cls, path: Path) -> Ledger:
        """A copy that may be written to without a trace: for dry runs.

        Of a damaged ledger it is empty, and `was_damaged` says so.
        """
        copy = cls(None)
        try:
            database.copy_into(path, copy.db)
            copy.is_new = False
            copy._check(path)
        except DAMAGED:
            copy = cls(None)
            copy.was_damaged = True
        return copy

    def begin(self) -> None:
        if not self.db.in_transaction:
            self._execute("begin")

    def commit(self) -> None:
        if self.db.in_transaction:
            self._execute("commit")

    def roll_back(self) -> None:
        """Forget what was not committed."""
        self._remembered.clear()
        if self.db.in_transaction:
            self._execute("rollback")

    def close(self) -> None:
        """Commit and close."""
        try:
            self.commit()
        finally:
            self.give_up()
        if self.path is not None:
            with contextlib.suppress(FileNotFoundError):
                self._left[self.path] = _file_stat(self.path)

    def give_up(self) -> None:
        """Close, and forget what was not committed; a closed one stays so."""
        self.db.close()

    def remember(self, name: str, find: Callable[[], T]) -> T:
        """What `find` finds, which is asked for again; until the next change."""
        if name not in self._remembered:
            self._remembered[name] = find()
        found: T = self._remembered[name]
        return found

    def _write(self, sql: str, bind: tuple[Any, ...] = ()) -> None:
        self._remembered.clear()
        self._execute(sql, bind)

    def _execute(self, sql: str, bind: tuple[Any, ...] = ()) -> sqlite3.Cursor:
        return database.execute(self.db, self.path, sql, bind)

    def _put(self, table: str, *cells: Any) -> None:
        """Insert or replace a row, sealed."""
        # A file system may know times that SQLite cannot hold.
        cells = tuple(
            min(cell, MAX_INTEGER) if isinstance(cell, int) else cell for cell in cells
        )
        self.begin()
        marks = ",".join("?" * (len(cells) + 1))
        row = (*cells, _seal(cells))
        self._write(f"insert or replace into {table} values ({marks})", row)

    def size(self, table: str) -> tuple[int, int]:
        """(files, their bytes) of `parts`, `inputs` or `published`."""
        assert table in ("parts", "inputs", "published")
        (files, size) = self._execute(
            f"select count(*), coalesce(sum(bytes), 0) from {table}"
        ).fetchone()
        return files, size

    # Landing parts

    def parts(self, source: str | None = None) -> Iterator[Part]:
        where, bind = ("where source = ?", (source,)) if source else ("", ())
        for row in self._execute(f"select * from parts {where}", bind):
            yield _part(row)

    def parts_of(self, source: str, day: str) -> list[Part]:
        """The parts of a source and day."""
        rows = self._execute(
            "select * from parts where source = ? and day = ?", (source, day)
        )
        return [_part(row) for row in rows]

    def parts_read_otherwise(self, source: str, parser: str) -> list[Part]:
        """Parts of a source that another parser made."""
        rows = self._execute(
            "select * from parts where source = ? and parser <> ?", (source, parser)
        )
        return [_part(row) for row in rows]

    def parts_to_judge(self, day: str) -> list[Part]:
        """Parts in which a reject for its date may be one no more on a day."""
        rows = self._execute(
            "select * from parts where judge_on <> '' and judge_on <= ?", (day,)
        )
        return [_part(row) for row in rows]

    def part_stats(self) -> Iterator[tuple[str, str, str, int, int, int]]:
        """(source, day, part, bytes, mtime_ns, checksum) of every part."""
        yield from self._execute(
            "select source, day, part, bytes, mtime_ns, checksum from parts"
        )

    def landed(self) -> list[tuple[str, str, str, str, int, int, dict[str, int]]]:
        """(source, day, part, fingerprint, source bytes, dropped, counts)."""
        rows = self._execute(
            "select source, day, part, fingerprint, source_bytes, dropped, counts "
            "from parts order by source, day, part"
        )
        # Most days look like another one.
        loads = functools.lru_cache(json.loads)
        return [(*row[:6], loads(row[6])) for row in rows]

    def newest_days(self, until: str) -> dict[str, str]:
        """By source, the newest day on which it landed a record, up to a day."""
        return dict(
            self._execute(
                "select source, max(day) from parts "
                "where source <> 'observed_columns' and day <= ? "
                "group by source order by source",
                (until,),
            )
        )

    def source_bytes(self, source: str) -> dict[str, int]:
        """By day, the size of the inputs that a source was landed from."""
        return dict(
            self._execute(
                "select day, sum(source_bytes) from parts "
                "where source = ? group by day",
                (source,),
            )
        )

    def keys(self, source: str, since: str = "") -> Iterator[tuple[str, list[str]]]:
        """(day, keys) of every part of a source that has keys."""
        for day, blob in self._execute(
            "select day, keys from parts "
            "where source = ? and day >= ? and length(keys) > 0",
            (source, since),
        ):
            yield day, zlib.decompress(blob).decode().split("\n")

    def part(self, source: str, day: str, part: str) -> Part | None:
        row = self._execute(
            "select * from parts where source = ? and day = ? and part = ?",
            (source, day, part),
        ).fetchone()
        return _part(row) if row else None

    def checksum(self, source: str, day: str, part: str) -> int | None:
        """What the bytes of a part add up to; None for one that is not known."""
        row = self._execute(
            "select checksum from parts where source = ? and day = ? and part = ?",
            (source, day, part),
        ).fetchone()
        return row[0] if row else None

    def put_part(self, part: Part) -> None:
        keys = zlib.compress("\n".join(part.keys).encode()) if part.keys else b""
        self._put(
            "parts",
            part.source, part.day, part.part, part.bytes, part.mtime_ns,
            part.checksum, part.fingerprint, part.parser,
            json.dumps(part.counts, sort_keys=True), part.source_bytes,
            part.dropped, *part.span, part.judge_on, keys,
        )  # fmt: skip

    def forget_part(self, source: str, day: str, part: str) -> None:
        self.begin()
        self._write(
            "delete from parts where source = ? and day = ? and part = ?",
            (source, day, part),
        )

    # Inputs

    def inputs(self) -> dict[str, SeenInput]:
        return {
            path: SeenInput(
                source, size, mtime, json.loads(at) if at else None, json.loads(feeds)
            )
            for path, source, size, mtime, at, feeds, _ in self._execute(
                "select * from inputs"
            )
        }

    def put_input(self, path: str, seen: SeenInput) -> None:
        self._put(
            "inputs",
            path, seen.source, seen.bytes, seen.mtime_ns,
            json.dumps(seen.position) if seen.position else None,
            json.dumps(seen.feeds),
        )  # fmt: skip

    def forget_inputs(self, paths: Iterable[str]) -> None:
        self.begin()
        for path in paths:
            self._write("delete from inputs where path = ?", (path,))

    def forget_inputs_behind(self, parts: Collection[tuple[str, str]]) -> None:
        """Inputs that feed a (source, day) are read again as if never seen."""
        # Which columns were seen may have been said by any input of a day.
        columns = {day for source, day in parts if source == "observed_columns"}
        self.forget_inputs(
            path
            for path, seen in self.inputs().items()
            if any(
                (source, day) in parts or day in columns
                for source, days in seen.feeds.items()
                for day in days
            )
        )

    def move_feeds(self, source: str, day: str, to: str) -> None:
        """What inputs said of a day stands under another one now, too."""
        for path, seen in self.inputs().items():
            days = seen.feeds.get(source, [])
            if day in days and to not in days:
                feeds = seen.feeds | {source: sorted([*days, to])}
                self.put_input(path, replace(seen, feeds=feeds))

    # Days whose landed heartbeats were put there by who knows whom: that a name is
    # among them does not say that what lies under the root was read.

    def doubt(self, day: str) -> None:
        self._put("doubted", day)

    def doubted(self) -> list[str]:
        return [day for (day,) in self._execute("select day from doubted")]

    def forget_doubts(self) -> None:
        if self.doubted():  # or a run with nothing new would write
            self.begin()
            self._write("delete from doubted")

    # Published files

    def published(self) -> dict[str, PublishedFile]:
        """By path."""
        return self.remember("published", self._read_published)

    def _read_published(self) -> dict[str, PublishedFile]:
        rows = self._execute("select * from published")
        return {
            path: PublishedFile(
                size, mtime, checksum, count, json.loads(metadata), shape
            )
            for path, size, mtime, checksum, count, metadata, shape, _ in rows
        }

    def put_published(self, path: str, file: PublishedFile) -> None:
        self._put(
            "published",
            path, file.bytes, file.mtime_ns, file.checksum, file.row_count,
            json.dumps(file.metadata, sort_keys=True), file.shape,
        )  # fmt: skip

    def forget_published(self, paths: Iterable[str]) -> None:
        self.begin()
        for path in paths:
            self._write("delete from published where path = ?", (path,))

    # Findings: what stands in the published rejected_records and schema_drift

    def put_findings(
        self, table: str, days: Iterable[str], rows: Iterable[tuple[Any, ...]]
    ) -> None:
        """Replace what `rejects` or `drift` say of some days."""
        assert table in ("rejects", "drift")
        self.begin()
        for day in days:
            self._write(f"delete from {table} where day = ?", (day,))
        for row in rows:
            self._put(table, *row)

    def rejects(self) -> list[tuple[str, str, str, int]]:
        """(day, dataset, reason, records) of all days."""
        return self._execute(
            "select day, dataset, reason, records from rejects"
        ).fetchall()

    def drift(self) -> list[tuple[str, str, str, str, int]]:
        """(day, source, kind, name, files) of all days."""
        return self._execute(
            "select day, source, kind, name, files from drift"
        ).fetchall()


def _file_stat(path: Path) -> tuple[int, int, int]:
    file_stat = path.stat()
    return file_stat.st_ino, file_stat.st_size, file_stat.st_mtime_ns


def _seal(cells: tuple[Any, ...]) -> int:
    return zlib.crc32(repr(cells).encode())


def _part(row: tuple[Any, ...]) -> Part:
    (
        *head,
        counts,
        source_bytes,
        dropped,
        first_at,
        last_at,
        judge_on,
        packed,
        _,
    ) = row
    source, day, part, size, mtime_ns, checksum, fingerprint, parser = head
    keys = zlib.decompress(packed).decode().split("\n") if packed else []
    return Part(
        source, day, part, size, mtime_ns, checksum, fingerprint, parser,
        json.loads(counts), source_bytes, dropped, (first_at, last_at), keys,
        judge_on,
    )  # fmt: skip
