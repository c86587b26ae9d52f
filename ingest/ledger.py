"""The ledger: what has been read, landed and published, as last seen on disk.

A cache and nothing more. The landing is the truth about what was read, the
Parquet footers are the truth about what was published; a ledger that is lost
or damaged is made again from them, at the price of reading everything once.
"""

from __future__ import annotations

import json
import sqlite3
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

# Another number means another layout: the ledger is then made again.
LAYOUT = 1

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
    keys blob not null,
    primary key (source, day, part)
) without rowid;
create table inputs (
    path text primary key,
    source text not null,
    bytes integer not null,
    mtime_ns integer not null,
    position text
) without rowid;
create table published (
    path text primary key,
    bytes integer not null,
    mtime_ns integer not null,
    checksum integer not null,
    row_count integer not null,
    metadata text not null
) without rowid;
create table rejects (
    day text not null,
    dataset text not null,
    reason text not null,
    records integer not null,
    primary key (day, dataset, reason)
) without rowid;
create table drift (
    day text not null,
    source text not null,
    kind text not null,
    name text not null,
    files integer not null,
    primary key (day, source, kind, name)
) without rowid;
"""


@dataclass(frozen=True)
class Part:
    """One file of the landing: what it holds and how it looks on disk.

    `counts` are landed records per dataset; `keys` are identities that must
    be found whatever their day (heartbeat names, summary versions, untimed
    lines); `checksum` is the CRC-32 of the file's bytes; `source_bytes` is the
    size of the inputs it was made from; `dropped` counts records that moved to
    another day or turned out to be the beginning of another one.
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
    keys: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class SeenInput:
    """An input as it was when it was last read; `position` is for logs."""

    source: str
    bytes: int
    mtime_ns: int
    position: dict[str, Any] | None = None


@dataclass(frozen=True)
class PublishedFile:
    """A published file as it was left: its look on disk and its footer."""

    bytes: int
    mtime_ns: int
    checksum: int
    row_count: int
    metadata: dict[str, str]


class Ledger:
    """The ledger file of one root; with no path, one in memory only."""

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self.is_new = path is None or not path.exists()
        self.was_damaged = False
        try:
            self._open()
        except sqlite3.DatabaseError:
            self._close_quietly()
            self._start_again()

    def _open(self) -> None:
        # Autocommit off by hand: one transaction from write to `commit`.
        self.db = sqlite3.connect(
            self.path or ":memory:", isolation_level=None, timeout=30
        )
        if self.db.execute("pragma quick_check(1)").fetchone()[0] != "ok":
            raise sqlite3.DatabaseError("quick_check failed")
        (layout,) = self.db.execute("pragma user_version").fetchone()
        if layout != LAYOUT:
            if layout or self.db.execute("select 1 from sqlite_master").fetchone():
                raise sqlite3.DatabaseError("another layout")
            self.db.executescript(f"{TABLES} pragma user_version = {LAYOUT};")
            self.is_new = True

    def _close_quietly(self) -> None:
        db = getattr(self, "db", None)
        if db is not None:
            db.close()

    def _start_again(self) -> None:
        assert self.path is not None
        for name in ("", "-journal", "-wal", "-shm"):
            self.path.with_name(self.path.name + name).unlink(missing_ok=True)
        self.is_new = True
        self.was_damaged = True
        self._open()

    @classmethod
    def copy_in_memory(cls, path: Path) -> Ledger:
        """A copy that may be written to without a trace: for dry runs."""
        copy = cls(None)
        try:
            origin = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
            with origin:
                origin.backup(copy.db)
            origin.close()
            (layout,) = copy.db.execute("pragma user_version").fetchone()
            if layout != LAYOUT:
                raise sqlite3.DatabaseError("another layout")
            copy.is_new = False
        except sqlite3.DatabaseError:
            return cls(None)
        return copy

    def begin(self) -> None:
        if not self.db.in_transaction:
            self.db.execute("begin")

    def commit(self) -> None:
        if self.db.in_transaction:
            self.db.execute("commit")

    def close(self) -> None:
        self.commit()
        self.db.close()

    # Landing parts

    def parts(self, source: str | None = None) -> Iterator[Part]:
        where, bind = ("where source = ?", (source,)) if source else ("", ())
        for row in self.db.execute(f"select * from parts {where}", bind):
            yield _part(row)

    def looks(self) -> Iterator[tuple[str, str, str, int, int]]:
        """(source, day, part, bytes, mtime_ns) of every part."""
        yield from self.db.execute(
            "select source, day, part, bytes, mtime_ns from parts"
        )

    def landed(self) -> list[tuple[str, str, str, str, int, int, dict[str, int]]]:
        """(source, day, part, fingerprint, source bytes, dropped, counts)."""
        rows = self.db.execute(
            "select source, day, part, fingerprint, source_bytes, dropped, counts "
            "from parts order by source, day, part"
        )
        return [(*row[:6], json.loads(row[6])) for row in rows]

    def keys(self, source: str) -> Iterator[tuple[str, list[str]]]:
        """(day, keys) of every part of a source that has keys."""
        for day, blob in self.db.execute(
            "select day, keys from parts where source = ? and length(keys) > 0",
            (source,),
        ):
            yield day, zlib.decompress(blob).decode().split("\n")

    def part(self, source: str, day: str, part: str) -> Part | None:
        row = self.db.execute(
            "select * from parts where source = ? and day = ? and part = ?",
            (source, day, part),
        ).fetchone()
        return _part(row) if row else None

    def put_part(self, part: Part) -> None:
        self.begin()
        keys = zlib.compress("\n".join(part.keys).encode()) if part.keys else b""
        self.db.execute(
            "insert or replace into parts values (?,?,?,?,?,?,?,?,?,?,?,?)",
            (
                part.source, part.day, part.part, part.bytes, part.mtime_ns,
                part.checksum, part.fingerprint, part.parser,
                json.dumps(part.counts, sort_keys=True), part.source_bytes,
                part.dropped, keys,
            ),
        )  # fmt: skip

    def forget_part(self, source: str, day: str, part: str) -> None:
        self.begin()
        self.db.execute(
            "delete from parts where source = ? and day = ? and part = ?",
            (source, day, part),
        )

    # Inputs

    def inputs(self) -> dict[str, SeenInput]:
        return {
            path: SeenInput(source, size, mtime, json.loads(at) if at else None)
            for path, source, size, mtime, at in self.db.execute("select * from inputs")
        }

    def put_input(self, path: str, seen: SeenInput) -> None:
        self.begin()
        position = json.dumps(seen.position) if seen.position else None
        self.db.execute(
            "insert or replace into inputs values (?,?,?,?,?)",
            (path, seen.source, seen.bytes, seen.mtime_ns, position),
        )

    def forget_inputs(self, paths: Iterable[str]) -> None:
        self.begin()
        self.db.executemany("delete from inputs where path = ?", ((p,) for p in paths))

    def forget_sources(self, sources: Iterable[str]) -> None:
        """Inputs of these sources will be read again as if never seen."""
        self.begin()
        self.db.executemany(
            "delete from inputs where source = ?", ((s,) for s in sources)
        )

    # Published files

    def published(self) -> dict[str, PublishedFile]:
        return {
            row[0]: PublishedFile(*row[1:5], json.loads(row[5]))
            for row in self.db.execute("select * from published")
        }

    def put_published(self, path: str, file: PublishedFile) -> None:
        self.begin()
        self.db.execute(
            "insert or replace into published values (?,?,?,?,?,?)",
            (
                path, file.bytes, file.mtime_ns, file.checksum, file.row_count,
                json.dumps(file.metadata, sort_keys=True),
            ),
        )  # fmt: skip

    def forget_published(self, paths: Iterable[str]) -> None:
        self.begin()
        self.db.executemany(
            "delete from published where path = ?", ((p,) for p in paths)
        )

    # Findings: what stands in the published rejected_records and schema_drift

    def put_findings(
        self, table: str, days: Iterable[str], rows: Iterable[tuple[Any, ...]]
    ) -> None:
        """Replace what `rejects` or `drift` say of some days."""
        assert table in ("rejects", "drift")
        self.begin()
        self.db.executemany(
            f"delete from {table} where day = ?", ((day,) for day in days)
        )
        marks = {"rejects": "?,?,?,?", "drift": "?,?,?,?,?"}[table]
        self.db.executemany(f"insert into {table} values ({marks})", rows)

    def rejects(self) -> list[tuple[str, str, str, int]]:
        """(day, dataset, reason, records) of all days."""
        return self.db.execute("select * from rejects").fetchall()

    def drift(self) -> list[tuple[str, str, str, str, int]]:
        """(day, source, kind, name, files) of all days."""
        return self.db.execute("select * from drift").fetchall()


def _part(row: tuple[Any, ...]) -> Part:
    keys = zlib.decompress(row[11]).decode() if row[11] else ""
    return Part(
        *row[:8], json.loads(row[8]), row[9], row[10], keys.split("\n") if keys else []
    )
