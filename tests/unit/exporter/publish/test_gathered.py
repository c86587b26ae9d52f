"""Months as one file: the same rows, made once, and never believed when spoilt."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import duckdb
import pytest
from duckdb import DuckDBPyConnection

from exporter.contracts.datasets import Column, Table
from exporter.publish.gathered import FEW, Gathered
from exporter.publish.ledger import PublishedFile
from ingest import files
from ingest.root import Root

COLUMNS = (Column("day", "DATE", ""), Column("number", "BIGINT", ""))
TABLE = Table("t", "", "g/analytics/t/t_{yyyymmdd}.parquet", 1, COLUMNS, "")
FIRST = date(2025, 1, 10)
DAYS = [FIRST + timedelta(days=number) for number in range(100)]  # to April 19


@pytest.fixture
def db() -> Iterator[DuckDBPyConnection]:
    with duckdb.connect(config={"threads": 1}) as db:
        yield db


@pytest.fixture
def gathered(tmp_path: Path, db: DuckDBPyConnection) -> Gathered:
    # To DuckDB, such a path is a pattern.
    root = Root(tmp_path / "a [b] 'c' d=1")
    made = Gathered(root, {"t": TABLE}, {"t": {}})
    for number, day in enumerate(DAYS):
        write(made, db, day, number)
    return made


def write(gathered: Gathered, db: DuckDBPyConnection, day: date, number: int) -> None:
    place = gathered.root.path / TABLE.file(day)
    place.parent.mkdir(parents=True, exist_ok=True)
    name = str(place).replace("'", "''")
    db.execute(f"copy (select date '{day}' as day, {number} as number) to '{name}'")
    file = PublishedFile(0, 0, files.checksum(place), 1, {}, "")
    gathered.known["t"][day] = file  # type: ignore[index]


def shown(
    gathered: Gathered, db: DuckDBPyConnection, days: list[date] = DAYS
) -> list[str]:
    """The paths for some days, once it is known that they hold just these."""
    paths = gathered.paths(db, "t", days)
    found = [
        row
        for path in paths
        for row in db.execute(
            "select day, number from read_parquet(?, hive_partitioning = false)",
            [path.replace("[", "[[]")],
        ).fetchall()
    ]
    numbers = dict(found)
    assert sorted(numbers) == sorted(days)
    assert len(found) == len(days)
    return paths


def kept(gathered: Gathered) -> dict[str, int]:
    folder = gathered.root.state / "gathered" / "t"
    return {path.name: path.stat().st_ino for path in folder.iterdir()}


def test_whole_months_that_are_over_are_one_file(
    gathered: Gathered, db: DuckDBPyConnection
) -> None:
    paths = shown(gathered, db)
    # January, which begins with the first day there is, to March; then April's days.
    assert len(paths) == 3 + 19
    before = kept(gathered)
    assert [name[:6] for name in sorted(before)] == ["202501", "202502", "202503"]
    assert shown(gathered, db) == paths
    assert kept(gathered) == before, "nothing is made anew"
    folder = gathered.root.state / "gathered" / "t"
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}


def test_a_part_of_a_month_and_few_days_are_read_as_they_are(
    gathered: Gathered, db: DuckDBPyConnection
) -> None:
    assert len(shown(gathered, db, DAYS[-FEW:])) == FEW
    assert not (gathered.root.state / "gathered").exists()
    # From January 15 on, so that January is not whole.
    assert len(shown(gathered, db, DAYS[5:])) == 17 + 2 + 19
    assert len(shown(gathered, db, [*DAYS[:30], *DAYS[31:]])) == 1 + 27 + 1 + 19


def test_late_data_makes_its_month_again_and_no_other(
    gathered: Gathered, db: DuckDBPyConnection
) -> None:
    shown(gathered, db)
    before = kept(gathered)
    write(gathered, db, date(2025, 2, 3), 999)
    paths = shown(gathered, db)
    total = sum(
        db.execute(
            "select sum(number) from read_parquet(?, hive_partitioning = false)",
            [path.replace("[", "[[]")],
        ).fetchall()[0][0]
        for path in paths
    )
    assert total == sum(range(100)) - 24 + 999
    after = kept(gathered)
    assert len(after) == 3
    assert {name[:6] for name in after.keys() - before.keys()} == {"202502"}


@pytest.mark.parametrize("spoilt", [b"", b"torn", None])
def test_what_is_spoilt_or_gone_is_made_again(
    spoilt: bytes | None, gathered: Gathered, db: DuckDBPyConnection
) -> None:
    paths = shown(gathered, db)
    month = Path(paths[1])
    whole = month.read_bytes()
    if spoilt is None:
        month.unlink()
    else:
        month.write_bytes(spoilt or whole[:-9] + b"x" + whole[-8:])
    assert shown(gathered, db) == paths
    assert month.read_bytes() == whole


def test_of_days_that_are_gone_nothing_stays(
    gathered: Gathered, db: DuckDBPyConnection
) -> None:
    shown(gathered, db)
    folder = gathered.root.state / "gathered" / "t"
    (folder / ".202502.123").write_bytes(b"left by a kill")
    for day in DAYS[:25]:  # January's, and three of February
        del gathered.known["t"][day]  # type: ignore[attr-defined]
    shown(gathered, db, DAYS[25:])
    assert sorted(name[:6] for name in kept(gathered)) == ["202502", "202503"]


def test_without_room_the_days_are_read(
    gathered: Gathered, db: DuckDBPyConnection
) -> None:
    gathered.root.state.mkdir(parents=True)
    (gathered.root.state / "gathered").write_text("in the way")
    assert len(shown(gathered, db)) == len(DAYS)
