"""A SQLite file that other programs may look into at any time.

SQLite's own waiting would let no signal through, and some of it has no end: here
it is done in small steps, up to a limit.
"""

from __future__ import annotations

import contextlib
import errno
import shutil
import sqlite3
import stat
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ingest import files

# How long another program may keep the file to itself, or us from writing.
WAIT_SECONDS = 10.0
STEP_SECONDS = 0.05
# Beside the file, SQLite opens these where they are there.
COMPANIONS = ("-journal", "-wal", "-shm")
# A byte that has changed may show as text that is none.
DAMAGED = (sqlite3.DatabaseError, UnicodeDecodeError, OverflowError)


def connect(path: Path | None) -> sqlite3.Connection:
    """Open a database; with no path, one in memory. Raises OSError, DAMAGED."""
    if path is not None:
        refuse_what_is_no_file(path)
    # Autocommit off by hand: one transaction from write to commit. Threads may
    # share it, one at a time.
    return sqlite3.connect(
        path or ":memory:", isolation_level=None, timeout=0, check_same_thread=False
    )


def refuse_what_is_no_file(path: Path) -> None:
    """To open a pipe could take for ever. Raises OSError."""
    for name in ("", *COMPANIONS):
        place = path.with_name(path.name + name)
        with contextlib.suppress(FileNotFoundError):
            if not stat.S_ISREG(place.stat().st_mode):
                raise OSError(errno.EINVAL, files.NO_FILE, str(place))


def execute(
    db: sqlite3.Connection, path: Path | None, sql: str, bind: tuple[Any, ...] = ()
) -> sqlite3.Cursor:
    """Execute a statement as soon as other programs let it. Raises OSError."""
    limit = _Limit(path)
    with told_as_os_error(path):
        while True:
            try:
                return db.execute(sql, bind)
            except sqlite3.OperationalError as error:
                if not _is_busy(error):
                    raise
            limit.check()
            time.sleep(STEP_SECONDS)


def copy_into(path: Path, db: sqlite3.Connection) -> None:
    """Copy a database file without leaving a trace. Raises OSError, DAMAGED."""
    refuse_what_is_no_file(path)
    limit = _Limit(path)

    def between_tries(status: int, _left: int, _total: int) -> None:
        if status in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            limit.check()

    with told_as_os_error(path):
        try:
            with contextlib.closing(
                sqlite3.connect(
                    f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=0
                )
            ) as origin:
                origin.backup(db, progress=between_tries, sleep=STEP_SECONDS)
        except sqlite3.OperationalError as error:
            if _is_busy(error):
                raise limit.exceeded() from error
            _copy_with_journal(path, db)


def _copy_with_journal(path: Path, db: sqlite3.Connection) -> None:
    """A writer was killed: its journal can be played back only where one may
    write."""
    with tempfile.TemporaryDirectory() as folder:
        for name in (path.name, f"{path.name}-journal"):
            with contextlib.suppress(OSError):
                shutil.copyfile(path.with_name(name), Path(folder, name))
        with contextlib.closing(sqlite3.connect(Path(folder, path.name))) as copy:
            copy.backup(db)


class _Limit:
    """How long to wait for other programs: until when, and what is raised then."""

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self.end = time.monotonic() + WAIT_SECONDS

    def check(self) -> None:
        if time.monotonic() >= self.end:
            raise self.exceeded()

    def exceeded(self) -> OSError:
        return OSError(
            errno.EBUSY,
            f"another program has had it open for {WAIT_SECONDS:g} seconds: close "
            "that program, and run again",
            str(self.path),
        )


def _is_busy(error: sqlite3.Error) -> bool:
    said = getattr(error, "sqlite_errorname", "")
    return said.startswith(("SQLITE_BUSY", "SQLITE_LOCKED"))


@contextlib.contextmanager
def told_as_os_error(path: Path | None) -> Iterator[None]:
    """What SQLite says of the disk, in the words of the system."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        if not _is_of_the_disk(error):
            raise
        is_full = error.sqlite_errorname.startswith("SQLITE_FULL")
        number = errno.ENOSPC if is_full else errno.EIO
        said = "No space left on device" if is_full else str(error)
        raise OSError(number, said, str(path)) from error


def _is_of_the_disk(error: Exception) -> bool:
    """Whether the disk is full, or a right is missing: that is no damage."""
    return getattr(error, "sqlite_errorname", "").startswith(
        (
            "SQLITE_FULL",
            "SQLITE_IOERR",
            "SQLITE_CANTOPEN",
            "SQLITE_READONLY",
            "SQLITE_BUSY",
            "SQLITE_LOCKED",
            "SQLITE_PERM",
        )
    )
