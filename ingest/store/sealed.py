"""Tables in a SQLite file, of which every row is sealed.

Each row ends with a checksum over its other cells, so that a cell that has
changed is found. A file that is damaged, or of another layout, is made again. What
was found sound is looked through again when its bytes have changed (found_sound.py).
"""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar, Self, TypeVar

from ingest.store import database, found_sound
from ingest.store.database import DAMAGED

T = TypeVar("T")

MAX_INTEGER = (1 << 63) - 1


class SealedTables:
    """Tables in a SQLite file; with no path, in memory only.

    Raises OSError where it cannot be opened or written: only a file that does
    not hold these tables any more is made again.
    """

    # Another number means another layout: the file is then made again.
    LAYOUT: ClassVar[int]
    # By name, a table's columns and its primary key.
    TABLES: ClassVar[dict[str, tuple[str, str]]]

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
        # Before SQLite opens it: to close a file gives up all locks on it.
        mark = self._mark(self.path) if self.path else ""
        self.db = database.connect(self.path)
        if self.path is None or not found_sound.is_noted(self.path, mark):
            self._check()
            if self.path is not None and not self.is_new:
                found_sound.note(self.path, mark)

    @classmethod
    def _mark(cls, path: Path) -> str:
        return found_sound.mark_of(path, f"{cls.LAYOUT} {cls.TABLES}")

    def _check(self) -> None:
        if self._quick_check() != "ok":
            raise sqlite3.DatabaseError("quick_check failed")
        (layout,) = self._execute("pragma user_version").fetchone()
        if layout != self.LAYOUT:
            if layout or self._execute("select 1 from sqlite_master").fetchone():
                raise sqlite3.DatabaseError("another layout")
            self._make_tables()
        self._check_seals()

    def _make_tables(self) -> None:
        self.begin()
        for name, (columns, key) in self.TABLES.items():
            self._execute(
                f"create table {name} ({columns}, seal integer not null, "
                f"primary key ({key})) without rowid"
            )
        self._execute(f"pragma user_version = {self.LAYOUT}")
        self.commit()
        self.is_new = True

    def _quick_check(self) -> str:
        (said,) = self._execute("pragma quick_check(1)").fetchone()
        return str(said)

    def _check_seals(self) -> None:
        """Find what no check of the file's structure can: changed cells."""
        for table in self.TABLES:
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
    def copy_in_memory(cls, path: Path) -> Self:
        """A copy that may be written to without a trace: for dry runs.

        Of a damaged ledger it is empty, and `was_damaged` says so.
        """
        copy = cls(None)
        try:
            is_sound = found_sound.is_noted(path, cls._mark(path))
            database.copy_into(path, copy.db)
            copy.is_new = False
            if not is_sound:
                copy._check()
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


def _seal(cells: tuple[Any, ...]) -> int:
    return zlib.crc32(repr(cells).encode())
