"""Where a fleet's marts lie, and what is known of their partitions."""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path

import pytest

from exporter.fleet.partitions import VARIABLE, Made, MartStore, marts_place
from exporter.fleet.storage import FleetNotFound

DAY = date(2025, 1, 10)


def put(store: MartStore, day: date, text: str = "rows") -> None:
    """Make a partition as a build does."""
    staging = store.staged("m")
    made = staging / "made"
    made.write_text(text)
    store.move(made, "m", day)
    store.record("m", {**store.made("m"), day: Made("f", 1, len(text))}, staging)
    store.clear(staging)


def test_marts_lie_where_they_are_named(tmp_path: Path) -> None:
    """As a path that Spark finds, too: it knows neither `~` nor this folder."""

    def place(named: str) -> Path:
        return marts_place(tmp_path, {VARIABLE: named})

    assert place("") == place(" ") == tmp_path / "marts"
    assert place("~/marts") == Path.home().resolve() / "marts"
    assert place("marts") == Path.cwd() / "marts"


@pytest.mark.parametrize(
    ("named", "said"),
    [
        ("s3://bucket/marts", r"\(OPS_ATOMIC_FLEET_MARTS\) is no folder: mount that"),
        ("{}/machine=a/g/analytics/marts", "lies in a machine's folder"),
    ],
)
def test_marts_lie_in_no_store_and_in_no_machines_folder(
    tmp_path: Path, named: str, said: str
) -> None:
    storage = tmp_path.resolve()
    with pytest.raises(FleetNotFound, match=said):
        marts_place(storage, {VARIABLE: named.format(storage)})


def test_a_partition_is_made_as_long_as_its_file_is_there(tmp_path: Path) -> None:
    store = MartStore(tmp_path)
    put(store, DAY)
    assert store.made("m") == {DAY: Made("f", 1, 4)}
    file = tmp_path / "m" / f"date_partition={DAY}" / "m.parquet"
    file.write_text("row")  # what a full disk or a copy that broke off leaves
    assert store.made("m") == {}
    file.unlink()
    assert store.made("m") == {}
    put(store, DAY)
    assert store.made("m") == {DAY: Made("f", 1, 4)}
    store.remove("m", DAY)
    assert store.made("m") == {}


def test_a_day_without_rows_needs_no_folder(tmp_path: Path) -> None:
    store = MartStore(tmp_path)
    staging = store.staged("m")
    store.record("m", {DAY: Made("f", 0, 0)}, staging)
    assert store.made("m") == {DAY: Made("f", 0, 0)}


def test_a_record_that_is_no_record_says_nothing(tmp_path: Path) -> None:
    store = MartStore(tmp_path)
    put(store, DAY)
    for text in ("", "[1]", '{"x": ["f", 1, 4]}', '{"2025-01-10": "f"}'):
        (tmp_path / "m" / "_made.json").write_text(text)
        assert store.made("m") == {}


def test_another_engines_files_make_way(tmp_path: Path) -> None:
    store = MartStore(tmp_path)
    other = tmp_path / "m" / f"date_partition={DAY}" / "part-0000.parquet"
    other.parent.mkdir(parents=True)
    other.write_text("before")
    put(store, DAY, "after")
    assert [path.name for path in other.parent.iterdir()] == ["m.parquet"]


def test_of_two_builds_one_waits_for_the_others_end(tmp_path: Path) -> None:
    first, second = MartStore(tmp_path), MartStore(tmp_path)
    put(first, DAY)
    first.clear(first.staged("other"))
    with pytest.raises(BlockingIOError, match="another build makes these marts"):
        second.staged("m")
    with pytest.raises(BlockingIOError, match="another build makes these marts"):
        second.remove("m", DAY)
    assert second.days("m") == {DAY}
    assert first.lock
    first.lock.close()  # as the end of its process does
    put(second, DAY)


def test_what_a_build_that_broke_off_has_left_is_removed(tmp_path: Path) -> None:
    store = MartStore(tmp_path)
    left = tmp_path / "m" / ".making-999999999"
    theirs = tmp_path / "m" / f".making-{os.getppid()}"
    for folder in (left, theirs):
        folder.mkdir(parents=True)
    store.staged("m")
    assert not left.exists()
    assert theirs.exists()
