"""A SQLite database: opened read-only, asked, and never made."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from urllib.parse import quote

from monitor.checks.result import Failed
from monitor.settings import Database

# Where the header says that readers use a write-ahead log.
WAL_BYTE, WAL = 18, 2


def check_database(database: Database, root: Path) -> str:
    """Raises Failed: missing, locked, and not a database are told apart."""
    path = (root / Path(database.path).expanduser()).absolute()
    try:
        with path.open("rb") as stream:
            header = stream.read(WAL_BYTE + 1)
    except FileNotFoundError as error:
        raise Failed("Database file is missing") from error
    except OSError as error:
        raise Failed(f"Database cannot be read: {error.strerror}") from error
    if not header:
        raise Failed("Database file is empty: nothing was ever written to it")
    # Without a log beside it nobody has it open: to read it as it lies keeps
    # SQLite from making one.
    has_log = path.with_name(f"{path.name}-wal").exists()
    is_at_rest = header[WAL_BYTE:] == bytes([WAL]) and not has_log
    uri = f"file:{quote(str(path))}?mode=ro{'&immutable=1' if is_at_rest else ''}"
    connection = None
    try:
        connection = sqlite3.connect(uri, uri=True, timeout=database.timeout_s * 0.6)
        connection.execute("SELECT 1").fetchone()
        # SELECT 1 alone would not even look into the file.
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.Error as error:
        raise Failed(_reason(error)) from error
    finally:
        if connection is not None:
            connection.close()
    return "Database responding"


def _reason(error: sqlite3.Error) -> str:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return "Database is locked by another program"
    if code == sqlite3.SQLITE_NOTADB:
        return "Database file is not a SQLite database"
    if code == sqlite3.SQLITE_CORRUPT:
        return "Database is damaged"
    return f"Database not responding: {error}"
