"""Makes the files of a dataset's stale days aside, some days at a time.

What is done with a batch of days stands in macros/batches.sql; here
stands in which order, and that a day which cannot be made takes no other along.
"""

from __future__ import annotations

import contextlib
import gzip
import os
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Protocol

import duckdb
from duckdb import DuckDBPyConnection

from exporter.contracts.datasets import Column
from exporter.publish.columns import check_columns
from exporter.publish.landing_views import HEAVY
from exporter.publish.losses import with_kept_rows
from exporter.publish.plan import Due
from ingest import advice
from ingest.files import CHUNK, WRITE_ERRORS
from ingest.root import Root
from ingest.store.part_files import DAMAGED

# What bounds memory over a long history.
DAYS_AT_ONCE = 120
# A heavy day is made by itself, in so much memory, or so much where that is too
# little: what is more goes to the disk.
MEMORY_OF_HEAVY = ("112MiB", "128MiB", "144MiB", "160MiB", "192MiB", "384MiB")
# What tests such a day, and asks for it, has no second try.
MEMORY_OF_TESTS = "128MiB"
ONE_HEAVY = threading.Lock()
# Bytes of a heavy day that are sorted at once.
SLICE = HEAVY

# A run that is stopped, and defects of the code.
NOT_OF_A_DAY = (
    duckdb.InterruptException,
    duckdb.ParserException,
    duckdb.BinderException,
    duckdb.CatalogException,
)


@dataclass(frozen=True)
class Statements:
    """The contract, and the SQL of each step, which finds its days in variables.

    `make` makes a table of a batch of days, `cut` finds where slices of it begin,
    `sort` makes a sorted table of the first slice, or of all rows, and `sort_next`
    adds a further one; `show` shows what is to be published of it. `audit` finds
    days that break a rule, `copy` writes one day as Parquet, `drop` lets go of all
    that is there of them. `yields` are the rows that the model would publish, `made`
    those of the batch: their columns are held against the contract. Where rows of
    published files are kept, it is `make_keeping` that makes the table, and `count`
    finds how many they are.
    """

    contract: Sequence[Column]
    yields: str
    make: str
    made: str
    cut: str
    sort: str
    sort_next: str
    show: str
    audit: str
    copy: str
    drop: str
    make_keeping: str = ""
    count: str = ""


class Narrow(Protocol):
    """Lets what a connection reads show only what some days are made from."""

    root: Root

    def to(self, db: DuckDBPyConnection, days: Sequence[date | None]) -> None: ...

    def widen(self, db: DuckDBPyConnection) -> None: ...


@dataclass(frozen=True)
class Day:
    """A day that is to be made: `staged` is where it is made aside, `parts` are
    the landed files of it, if it is made from such; `weight` is what to hold
    against HEAVY. It `keeps_rows` where some of its published file stay."""

    target: Due
    staged: str
    parts: tuple[Path, ...] = ()
    weight: int = 0
    keeps_rows: bool = False


# A day that was not made, and why.
Failed = tuple[Day, str]


def make_files(
    db: DuckDBPyConnection, statements: Statements, narrow: Narrow, days: list[Day]
) -> list[Failed]:
    """Make and audit the days, write those that pass, return those that do not.

    Raises OtherColumns, before anything is written, where the contract names others.
    """
    failed: list[Failed] = []
    heavy = [day for day in days if day.weight > HEAVY]
    light = [day for day in days if day.weight <= HEAVY]
    for start in range(0, len(light), DAYS_AT_ONCE):
        batch = light[start : start + DAYS_AT_ONCE]
        failed += _make_batch(db, statements, narrow, batch)
    for day in heavy:
        failed += _make_heavy(db, statements, narrow, day)
    narrow.widen(db)
    db.execute("reset variable publishing_days")
    return failed


def bound_memory(db: DuckDBPyConnection, memory_limit: str = MEMORY_OF_TESTS) -> None:
    """Let a connection have so little memory, by default what a heavy day's tests have.

    DuckDB sorts in memory until none is left, and then too much is pinned to go on
    on the disk: it has to begin there. And what it lets go of its allocator keeps,
    beyond the limit, if not told otherwise.
    """
    db.execute(
        f"set memory_limit = '{memory_limit}'; set threads = 1; "
        "set debug_force_external = true; set allocator_flush_threshold = '4MiB'; "
        "set allocator_bulk_deallocation_flush_threshold = '4MiB'"
    )


def _unbound_memory(db: DuckDBPyConnection) -> None:
    db.execute(
        "reset memory_limit; reset threads; reset debug_force_external; "
        "reset allocator_flush_threshold; "
        "reset allocator_bulk_deallocation_flush_threshold"
    )


def _make_heavy(
    db: DuckDBPyConnection, statements: Statements, narrow: Narrow, day: Day
) -> list[Failed]:
    """Make a day in as little memory as it can be made in."""
    raised = (*NOT_OF_A_DAY, duckdb.OutOfMemoryException)
    with ONE_HEAVY:
        try:
            for limit in MEMORY_OF_HEAVY:
                bound_memory(db, limit)
                with contextlib.suppress(duckdb.OutOfMemoryException):
                    return [*_make_batch(db, statements, narrow, [day], raised)]
                # What is left of a try is memory that the next one has not.
                db.execute(statements.drop)
            _unbound_memory(db)
            return [*_make_batch(db, statements, narrow, [day])]
        finally:
            bound_memory(db)


def _make_batch(
    db: DuckDBPyConnection,
    statements: Statements,
    narrow: Narrow,
    days: list[Day],
    raised: tuple[type[duckdb.Error], ...] = NOT_OF_A_DAY,
) -> Iterator[Failed]:
    dates = [day.target.day for day in days]
    try:
        _set(db, days=dates)
        narrow.to(db, dates)
        keeps = any(day.keeps_rows for day in days)
        _make_rows(db, statements, keeps)
        _sort(db, statements, days)
        db.execute(statements.show)
        reasons = dict(db.execute(statements.audit).fetchall())
        kept: dict[date | None, dict[str, int]] = {}
        counted = db.execute(statements.count).fetchall() if keeps else []
        for on, dataset, rows in counted:
            kept.setdefault(on, {})[dataset] = rows
    except (duckdb.Error, MemoryError) as error:
        if isinstance(error, raised) or _cannot_write(error):
            raise
        if len(days) == 1:
            yield days[0], _why(error, narrow.root, days[0])
            return
        half = len(days) // 2
        yield from _make_batch(db, statements, narrow, days[:half])
        yield from _make_batch(db, statements, narrow, days[half:])
        return
    for day in days:
        if day.target.day in reasons:
            yield day, reasons[day.target.day]
            continue
        kept_rows = kept.get(day.target.day, {})
        footer = with_kept_rows(day.target.metadata, kept_rows)
        _set(db, day=day.target.day, path=day.staged, footer=footer)
        db.execute(statements.copy)
    db.execute(statements.drop)


def _make_rows(db: DuckDBPyConnection, statements: Statements, keeps: bool) -> None:
    """Make the table of a batch, of the columns that the contract names.

    To ask the table for them spares planning the model's query twice. One with rows
    of published files has their columns as well.
    """
    contract = statements.contract
    if keeps:
        check_columns(db, statements.yields, contract)
        db.execute(statements.make_keeping)
        return
    try:
        db.execute(statements.make)
    except duckdb.BinderException:
        check_columns(db, statements.yields, contract)
        raise
    check_columns(db, statements.made, contract)


def _sort(db: DuckDBPyConnection, statements: Statements, days: list[Day]) -> None:
    """Sort a batch; a heavy day slice by slice, each of which takes as much memory
    as another, however many there are."""
    slices = 1 + max(day.weight for day in days) // SLICE
    if slices == 1:
        db.execute(statements.sort)
        return
    begins = begins_of_slices(db, statements, slices)
    try:
        for number, bounds in enumerate(pairwise([None, *begins, None])):
            _set(db, **dict(zip(("from", "to"), bounds, strict=True)))
            db.execute(statements.sort_next if number else statements.sort)
    finally:
        _set(db, **{"from": None, "to": None})


def begins_of_slices(
    db: DuckDBPyConnection, statements: Statements, slices: int
) -> list[object]:
    """The keys at which slices begin, but for the first; fewer of few rows."""
    _set(db, slices=slices)
    return [key for (key,) in db.execute(statements.cut).fetchall()]


def _set(db: DuckDBPyConnection, **variables: object) -> None:
    for name, value in variables.items():
        db.execute(f"set variable publishing_{name} = $value", {"value": value})


def _cannot_write(error: Exception) -> bool:
    """Whether the disk is at fault, and each other day would fail as well."""
    return any(os.strerror(number) in str(error) for number in WRITE_ERRORS)


def _why(error: Exception, root: Root, day: Day) -> str:
    """Why a day cannot be made; a part of the landing that is damaged is named."""
    damaged = [part for part in day.parts if not _is_whole(part)]
    if damaged:
        names = ", ".join("/".join(part.parts[-3:]) for part in damaged)
        said = f"{names}: damaged landing file"
        return advice.run(said, root, "export", "--historical")
    said = str(error).strip() or type(error).__name__
    return said.splitlines()[0]


def _is_whole(part: Path) -> bool:
    try:
        with gzip.open(part) as stream:
            while stream.read(CHUNK):
                pass
    except DAMAGED:
        return False
    return True
