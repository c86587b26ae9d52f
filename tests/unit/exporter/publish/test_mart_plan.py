"""Which files a mart should have, what they are made from, and which are stale."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from exporter.contracts.marts import Mart, Reads
from exporter.publish.ledger import PublishedFile
from exporter.publish.mart_plan import Files, World, mart_days, mart_files, plan_mart
from exporter.runtime.present import Present

NOON = datetime(2025, 1, 20, 12)


def on(day: int) -> date:
    return date(2025, 1, day)


def file(
    checksum: int = 1, rows: int = 5, metadata: dict[str, str] | None = None
) -> PublishedFile:
    return PublishedFile(1, 1, checksum, rows, metadata or {}, "")


def mart(**more: Any) -> Mart:
    plain = Mart(
        name="m", description="", path="g/m/m_{yyyymmdd}.parquet", schema_version=1,
        columns=(), model_fingerprint="code", kind="daily", key=(), order_by=(),
        accepted_values={}, reads={"a": Reads()}, every_day_of=None, settings=(),
    )  # fmt: skip
    return replace(plain, **more)


SINGLE = mart(kind="single", path="g/m.parquet")


def world(
    settings: Mapping[str, Any] | None = None,
    present: Present | None = None,
    **files: Files,
) -> World:
    return World(files, dict(settings or {}), "here", present or Present(NOON))


def made(of: Mart, at: World) -> Files:
    """The files of a mart once all are made."""
    return {
        wanted.day: file(metadata=due.metadata) for wanted, due in plan_mart(of, at, {})
    }


def stale(of: Mart, at: World, existing: Files) -> dict[date | None, str]:
    found = plan_mart(of, at, existing)
    return {wanted.day: due.reason for wanted, due in found if due.reason}


def test_a_daily_mart_has_the_days_of_its_inputs_up_to_the_present() -> None:
    one: Files = {on(1): file(), on(3): file()}
    other: Files = {on(3): file(), on(20): file(), on(21): file()}
    both = mart(reads={"a": Reads(), "b": Reads()})
    assert mart_days(both, world(a=one, b=other)) == [on(1), on(3), on(20)]
    assert mart_days(SINGLE, world(a={})) == [None]


def test_every_day_between_the_first_and_the_last_that_has_rows() -> None:
    every = mart(every_day_of="a")
    files: Files = {
        on(1): file(rows=0), on(2): file(), on(5): file(), on(6): file(rows=0),
        on(21): file(),
    }  # fmt: skip
    assert mart_days(every, world(a=files)) == [on(2), on(3), on(4), on(5)]
    assert mart_days(every, world(a={on(1): file(rows=0)})) == []


def test_silent_days_are_passed_over_when_looking_back() -> None:
    back = {"a": Reads(2, skips_silence=True), "b": Reads(2, skips_silence=True)}
    every = mart(every_day_of="a", reads=back)
    heard: Files = {on(day): file() for day in (1, 2, 3, 8)}
    silent: Files = {on(day): file(rows=0) for day in (4, 7)}
    at = world(a=heard | silent, b={on(2): file(), on(8): file()})
    reads = {wanted.day: wanted.reads for wanted in mart_files(every, at)}
    assert reads[on(1)] == {"a": [on(1)], "b": []}
    assert reads[on(4)]["a"] == [on(1), on(2), on(3), on(4)]
    assert reads[on(8)] == {
        "a": [on(1), on(2), on(3), on(8)], "b": [on(2), on(8)],
    }  # fmt: skip


def test_what_is_one_file_reads_the_last_days_up_to_now() -> None:
    files: Files = {on(day): file() for day in (1, 17, 18, 20, 21)}
    some = replace(SINGLE, reads={"a": Reads(last_days=2), "b": Reads()})
    [wanted] = mart_files(some, world(a=files, b={None: file()}))
    assert wanted.reads == {"a": [on(18), on(20)], "b": [None]}
    [wanted] = mart_files(SINGLE, world(a=files))
    assert wanted.reads == {"a": [on(1), on(17), on(18), on(20)]}


def test_what_is_made_is_not_made_again() -> None:
    files: Files = {on(1): file(), on(2): file()}
    assert stale(mart(), world(a=files), {}) == {on(1): "missing", on(2): "missing"}
    at = world(a=files)
    assert stale(mart(), at, made(mart(), at)) == {}
    # Nor is its footer written again: there are years of such days.
    current = [due for _, due in plan_mart(mart(), at, made(mart(), at))]
    assert [(due.path, due.metadata) for due in current] == [
        ("g/m/m_20250101.parquet", {}), ("g/m/m_20250102.parquet", {}),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"schema_version": 2}, "schema changed"),
        ({"model_fingerprint": "other"}, "code changed"),
    ],
)
def test_another_contract_or_other_code(change: dict[str, Any], reason: str) -> None:
    at = world(a={on(1): file()})
    assert stale(mart(**change), at, made(mart(), at)) == {on(1): reason}


def test_a_day_is_stale_when_a_day_that_it_reads_changed() -> None:
    back = mart(reads={"a": Reads(days_before=1)})
    files: Files = {on(day): file() for day in (1, 2, 3, 4)}
    existing = made(back, world(a=files))
    again = world(a=files | {on(2): file(checksum=2)})
    assert stale(back, again, existing).keys() == {on(2), on(3)}
    # One that is about to be made may come out otherwise.
    assert stale(back, world(a=files | {on(4): None}), existing).keys() == {on(4)}
    assert stale(SINGLE, again, made(SINGLE, world(a=files))).keys() == {None}


def test_a_damaged_file_and_a_forced_one() -> None:
    at = world(a={on(1): file()})
    assert stale(mart(), at, {on(1): None}) == {on(1): "damaged"}
    [(_, due)] = plan_mart(mart(), at, made(mart(), at), is_forced=True)
    assert due.reason == "forced"


def test_a_day_hangs_on_the_present_moment_until_it_is_over() -> None:
    files: Files = {on(19): file(), on(20): file()}
    existing = made(mart(), world(a=files))
    later = Present(NOON + timedelta(hours=3))
    assert stale(mart(), world(a=files, present=later), existing) == {}
    tomorrow = Present(NOON + timedelta(days=1))
    assert stale(mart(), world(a=files, present=tomorrow), existing).keys() == {on(20)}
    single = made(SINGLE, world(a=files))
    assert stale(SINGLE, world(a=files, present=tomorrow), single).keys() == {None}


def test_a_moment_that_is_set_counts_to_the_second() -> None:
    files: Files = {on(20): file()}
    existing = made(SINGLE, world(a=files, present=Present(NOON, True)))
    same, later = Present(NOON, True), Present(NOON + timedelta(seconds=1), True)
    assert stale(SINGLE, world(a=files, present=same), existing) == {}
    assert stale(SINGLE, world(a=files, present=later), existing).keys() == {None}


def test_only_the_windows_that_touch_a_day_are_in_it() -> None:
    files: Files = {on(1): file(), on(2): file()}
    name = "maintenance_windows"
    windowed = mart(settings=(name,))
    window = {
        "check_key": "*", "started_at": "2025-01-02 00:00:00.000000",
        "ended_at": "2025-01-02 01:00:00.000000", "reason": None,
    }  # fmt: skip
    existing = made(windowed, world({name: []}, a=files))
    assert stale(windowed, world({name: [window]}, a=files), existing).keys() == {on(2)}
    single = replace(SINGLE, settings=(name,))
    existing = made(single, world({name: []}, a=files))
    assert stale(single, world({name: [window]}, a=files), existing).keys() == {None}


def test_another_name_of_the_machine_makes_all_again() -> None:
    at = world(a={on(1): file()})
    there = replace(at, machine="there")
    assert stale(mart(), there, made(mart(), at)).keys() == {on(1)}


def test_the_footer_counts_the_rows_that_were_read() -> None:
    at = world(a={on(1): file(rows=5), on(2): file(rows=7)})
    [(_, due)] = plan_mart(SINGLE, at, {})
    assert due.metadata["landed_records"] == "12"
    assert "day" not in due.metadata
