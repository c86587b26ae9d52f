"""What an index does, measured on a temporary copy of the database.

The database itself is only read. Queries run on the copy and may do nothing but
select; each has its time, and so has the whole.
"""

from __future__ import annotations

import re
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import TypeVar
from urllib.parse import quote

from exporter.optimize.candidates import Candidate, Query, Table, identifier

RUNS = 5
QUERY_S, LOCK_S = 5.0, 5.0
# Neither a text nor a cell of a query may fill the memory.
MOST_BYTES = 1 << 24
STEPS, PAGES = 10_000, 2_000
ROWS_OF_LIMIT = 10
# Where the header says that readers use a write-ahead log.
WAL_BYTE, WAL = 18, 2
T = TypeVar("T")
ALLOWED = {
    sqlite3.SQLITE_SELECT,
    sqlite3.SQLITE_READ,
    sqlite3.SQLITE_FUNCTION,
    sqlite3.SQLITE_RECURSIVE,
}


class NoDatabase(OSError):
    """The database cannot be read: its path, why, and what to do."""


class TooLarge(Exception):
    """Copying the database, or measuring on it, would go beyond a limit: which."""


class OutOfTime(Exception):
    """The time for all measuring is used up."""


@dataclass(frozen=True)
class Measured:
    """A candidate with medians in milliseconds and the index's bytes.

    `is_at_least`: without the index the query did not end in its time.
    """

    candidate: Candidate
    before_ms: float
    after_ms: float
    index_bytes: int
    build_ms: float
    plan_before: str
    plan_after: str
    is_at_least: bool = False

    @property
    def speedup(self) -> float:
        return self.before_ms / max(self.after_ms, 0.001)


@contextmanager
def copy_of(
    path: Path, most_bytes: int, seconds: float, check: Callable[[], None]
) -> Iterator[Bench]:
    """A temporary copy to measure on. Raises NoDatabase and TooLarge.

    `check` is called now and then, and raises what stops it: raised from a
    signal inside of SQLite's callbacks that would be lost.
    """
    ends = perf_counter() + seconds
    with _read_only(path) as database, tempfile.TemporaryDirectory() as folder:
        size = _number(database, "PRAGMA page_count") * _number(
            database, "PRAGMA page_size"
        )
        if size > most_bytes:
            raise TooLarge(
                f"{path} has {size >> 20:,} MB, above {most_bytes >> 20:,}: "
                "raise --max-mb"
            )

        def go_on(*_: int) -> None:
            check()
            if perf_counter() > ends:
                raise TooLarge(
                    f"{path} is not copied in {seconds:g} seconds: raise --max-seconds"
                )

        copy = sqlite3.connect(Path(folder) / "copy.db", isolation_level=None)
        try:
            database.backup(copy, pages=PAGES, progress=go_on, sleep=0.05)
            copy.execute("PRAGMA journal_mode = MEMORY")
            copy.execute("PRAGMA synchronous = OFF")
            copy.execute("PRAGMA trusted_schema = OFF")
            copy.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MOST_BYTES)
            yield Bench(copy, ends, check)
        except sqlite3.Error as error:
            raise NoDatabase(_reason(path, error)) from error
        finally:
            copy.close()


@contextmanager
def _read_only(path: Path) -> Iterator[sqlite3.Connection]:
    try:
        with path.open("rb") as stream:
            header = stream.read(WAL_BYTE + 1)
    except FileNotFoundError as error:
        raise NoDatabase(
            f"{path}: there is no database: name it with --database"
        ) from error
    if not header:
        raise NoDatabase(f"{path}: the file is empty: name another with --database")
    # Without a log beside it nobody has it open: to read it as it lies keeps
    # SQLite from making one.
    has_log = path.with_name(f"{path.name}-wal").exists()
    at_rest = header[WAL_BYTE:] == bytes([WAL]) and not has_log
    uri = f"file:{quote(str(path))}?mode=ro{'&immutable=1' if at_rest else ''}"
    try:
        connection = sqlite3.connect(uri, uri=True, timeout=LOCK_S)
    except sqlite3.Error as error:
        raise NoDatabase(_reason(path, error)) from error
    try:
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        yield connection
    except sqlite3.Error as error:
        raise NoDatabase(_reason(path, error)) from error
    finally:
        connection.close()


def _reason(path: Path, error: sqlite3.Error) -> str:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return f"{path}: locked by another program: run again once that is done"
    if code == sqlite3.SQLITE_NOTADB:
        return f"{path}: not a SQLite database: name another with --database"
    if code == sqlite3.SQLITE_CORRUPT:
        return f"{path}: the database is damaged: bring back a good copy of it"
    return f"{path}: cannot be measured: {error}"


def _number(connection: sqlite3.Connection, sql: str) -> int:
    (value,) = connection.execute(sql).fetchone()
    return int(value)


class Bench:
    """The copy, with its tables by lower-case name."""

    def __init__(
        self, copy: sqlite3.Connection, ends: float, check: Callable[[], None]
    ) -> None:
        self.copy = copy
        self.ends = ends
        self.check = check
        self.tables = {name.lower(): self._table(name) for name in self._names()}

    def measure(self, query: Query) -> list[Measured]:
        """Those of its candidates that the query would use.

        Raises OutOfTime, and sqlite3.Error where the query cannot be run here.
        """
        bindings = [self._bind(query, run) for run in range(RUNS)]
        plan = self._plan(query.sql, bindings[0])
        before, is_at_least = self._time(query.sql, bindings)
        found = []
        for candidate in query.candidates:
            measured = self._try(candidate, query.sql, bindings)
            if measured is not None:
                after, size, build, used = measured
                found.append(
                    Measured(
                        candidate, before, after, size, build, plan, used, is_at_least
                    )
                )
        return found

    def _try(
        self, candidate: Candidate, sql: str, bindings: list[dict[str, object]]
    ) -> tuple[float, int, float, str] | None:
        pages = self._pages_in_use()
        started = perf_counter()
        with self._limited(self.ends - started):
            self.copy.execute(candidate.sql)
        build_ms = 1000 * (perf_counter() - started)
        size = (self._pages_in_use() - pages) * _number(self.copy, "PRAGMA page_size")
        try:
            plan = self._plan(sql, bindings[0])
            if not re.search(rf"INDEX {re.escape(candidate.name)}(?!\w)", plan):
                return None
            after, is_cut = self._time(sql, bindings)
            return None if is_cut else (after, size, build_ms, plan)
        finally:
            self.copy.execute(f"DROP INDEX {identifier(candidate.name)}")

    def _time(self, sql: str, bindings: list[dict[str, object]]) -> tuple[float, bool]:
        """The median in milliseconds; or the limit, and True, if it did not end."""
        taken = []
        # The first run only brings the pages into memory.
        for values in [bindings[0], *bindings]:
            started = perf_counter()
            try:
                self._select(sql, values, lambda rows: sum(1 for _ in rows))
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode != sqlite3.SQLITE_INTERRUPT:
                    raise
                return QUERY_S * 1000, True
            taken.append(1000 * (perf_counter() - started))
        return median(taken[1:]), False

    def _plan(self, sql: str, values: dict[str, object]) -> str:
        rows: list[tuple[int, int, int, str]] = self._select(
            f"EXPLAIN QUERY PLAN {sql}", values, list
        )
        return "; ".join(row[3] for row in rows)

    def _select(
        self, sql: str, values: dict[str, object], take: Callable[[sqlite3.Cursor], T]
    ) -> T:
        with self._limited(QUERY_S):
            self.copy.set_authorizer(_only_select)
            try:
                return take(self.copy.execute(sql, values))
            finally:
                self.copy.set_authorizer(None)

    @contextmanager
    def _limited(self, seconds: float) -> Iterator[None]:
        """Interrupt what takes longer. Raises OutOfTime once all time is used."""
        self.check()
        if perf_counter() > self.ends:
            raise OutOfTime
        ends = min(perf_counter() + seconds, self.ends)
        self.copy.set_progress_handler(lambda: perf_counter() > ends, STEPS)
        try:
            yield
        except sqlite3.OperationalError as error:
            if perf_counter() > self.ends:
                raise OutOfTime from error
            raise
        finally:
            self.copy.set_progress_handler(None, 0)

    def _bind(self, query: Query, run: int) -> dict[str, object]:
        """Values of the columns themselves, from another place for each run."""
        bound: dict[str, object] = {}
        for number, met in enumerate(query.parameters):
            if met is None:
                bound[f"p{number}"] = ROWS_OF_LIMIT
                continue
            table, column = map(identifier, met)
            with self._limited(QUERY_S):
                count = _number(
                    self.copy,
                    f"SELECT count(*) FROM {table} WHERE {column} IS NOT NULL",
                )
                row = self.copy.execute(
                    f"SELECT {column} FROM {table} WHERE {column} IS NOT NULL "
                    "LIMIT 1 OFFSET ?",
                    [count * run // RUNS],
                ).fetchone()
            bound[f"p{number}"] = row[0] if row else None
        return bound

    def _pages_in_use(self) -> int:
        pages = _number(self.copy, "PRAGMA page_count")
        return pages - _number(self.copy, "PRAGMA freelist_count")

    def _names(self) -> list[str]:
        found = self.copy.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' "
            "AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' "
            "AND sql NOT LIKE 'CREATE VIRTUAL%'"
        )
        return [name for (name,) in found]

    def _table(self, name: str) -> Table:
        columns = self.copy.execute("SELECT * FROM pragma_table_info(?)", [name])
        rows = columns.fetchall()
        primary = sorted((row[5], row[1]) for row in rows if row[5])
        keys = [tuple(column for _, column in primary)] if primary else []
        for index, is_partial in self.copy.execute(
            "SELECT name, partial FROM pragma_index_list(?)", [name]
        ).fetchall():
            if not is_partial:
                parts = self.copy.execute(
                    "SELECT name FROM pragma_index_info(?) ORDER BY seqno", [index]
                ).fetchall()
                keys.append(tuple(part or "" for (part,) in parts))
        return Table(name, tuple(row[1] for row in rows), tuple(keys))


def _only_select(action: int, _: str | None, name: str | None, *__: object) -> int:
    is_allowed = action in ALLOWED and (
        action != sqlite3.SQLITE_FUNCTION or str(name).lower() != "load_extension"
    )
    return sqlite3.SQLITE_OK if is_allowed else sqlite3.SQLITE_DENY
