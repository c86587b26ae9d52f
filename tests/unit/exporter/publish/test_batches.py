"""A heavy day is made by itself, within bounded memory; no light one is."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import duckdb
import pytest

from exporter.contracts.datasets import Column
from exporter.publish.batches import Day, Statements, make_files
from exporter.publish.landing_views import HEAVY, Narrow
from exporter.publish.plan import Target
from ingest.root import Root

SETTINGS = """
    select unnest(getvariable('publishing_days')) as day,
        len(getvariable('publishing_days')) as days,
        current_setting('memory_limit') as memory,
        current_setting('threads') as threads
"""
# More than a heavy day has, and nothing that goes to a disk.
TOO_MUCH = "set variable much = (select len(list(i)) from range(60_000_000) t(i))"


@pytest.fixture
def db() -> duckdb.DuckDBPyConnection:
    db = duckdb.connect()
    db.execute("set threads = 2")
    db.execute("create table made (day date, days int, memory text, threads int)")
    return db


def make(db: duckdb.DuckDBPyConnection, root: Path, sizes: list[int], **more: str):  # type: ignore[no-untyped-def]
    """Make days with parts of some sizes; what `made` then says of each."""
    days = []
    for number, size in enumerate(sizes, start=1):
        target = Target(
            "query_perf", date(2025, 1, number), f"{number}.parquet", {}, "new"
        )
        days.append(Day(target, str(root / target.path), weight=size))
    statements = {
        "yields": "select 1",
        "made": "select 1 as number",
        "make": f"insert into made {SETTINGS}",
        "cut": "select 1",
        "sort": "select 1",
        "sort_next": "select 1",
        "show": "select 1",
        "audit": "select null::date, '' where false",
        "copy": "copy (select 1) to (getvariable('publishing_path')) (format parquet)",
        "drop": "select 1",
    } | more
    contract = [Column("number", "INTEGER", "")]
    narrow = Narrow(Root(root), [])
    failed = make_files(db, Statements(contract, **statements), narrow, days)
    assert not failed
    assert all(Path(day.staged).exists() for day in days)
    rows = db.execute("select day, days, memory, threads from made order by day")
    return [tuple(row[1:]) for row in rows.fetchall()]


def test_only_a_heavy_day_is_made_by_itself(
    db: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    usual = db.execute("select current_setting('memory_limit')").fetchone()
    light, heavy, other = make(db, tmp_path, [1, HEAVY + 1, HEAVY])
    assert light == other
    assert light == (2, usual[0], 2)  # type: ignore[index]
    assert heavy == (1, "112.0 MiB", 1)
    bound = db.execute("select current_setting('memory_limit')").fetchone()
    assert bound == ("128.0 MiB",)


def test_a_day_that_takes_more_has_what_there_is(
    db: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    with pytest.raises(duckdb.OutOfMemoryException):
        duckdb.connect(config={"memory_limit": "384MiB"}).execute(TOO_MUCH)
    [made] = make(
        db, tmp_path, [HEAVY + 1], make=f"{TOO_MUCH}; insert into made {SETTINGS}"
    )
    assert made[1] not in ("112.0 MiB", "384.0 MiB")
    copy = "(select 1) to (getvariable('publishing_path')) (format parquet)"
    make(db, tmp_path, [HEAVY + 1], copy=f"{TOO_MUCH}; copy {copy}")


def test_a_try_begins_without_what_is_left_of_the_one_before(
    db: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    db.execute("create table found (left_over bigint)")
    left_over = "select count(*) from duckdb_tables() where temporary"
    make(
        db,
        tmp_path,
        [HEAVY + 1],
        make=(
            f"insert into found {left_over}; create temp table aside (i int); "
            f"{TOO_MUCH}; insert into made {SETTINGS}"
        ),
        drop="drop table if exists temp.aside",
    )
    found = db.execute("select left_over from found").fetchall()
    assert len(found) > 1
    assert set(found) == {(0,)}
