from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.text.times import believable, date_problem, parse_time, utc_text

NOW = datetime(2025, 10, 28, 12)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2025-10-28", datetime(2025, 10, 28)),
        ("2025-10-28T07:51", datetime(2025, 10, 28, 7, 51)),
        ("2025-10-28 07:51:31", datetime(2025, 10, 28, 7, 51, 31)),
        ("2025-10-28T07:51:31.074Z", datetime(2025, 10, 28, 7, 51, 31, 74_000)),
        ("2025-10-28T07:51:31.1", datetime(2025, 10, 28, 7, 51, 31, 100_000)),
        ("2025-10-28T07:51:31.1234560000", datetime(2025, 10, 28, 7, 51, 31, 123_456)),
        ("2025-10-28T03:00:00+07:00", datetime(2025, 10, 27, 20)),
        ("2025-10-28T03:00:00+0700", datetime(2025, 10, 27, 20)),
        ("2025-10-28T03:00+07", datetime(2025, 10, 27, 20)),
        ("2025-10-28T23:30:00-05:30", datetime(2025, 10, 29, 5)),
        ("2024-02-29", datetime(2024, 2, 29)),
    ],
)
def test_times_become_utc(text: str, expected: datetime) -> None:
    assert parse_time(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "2025-10-28T",
        "2025-10-28Z",
        "2025-10-28T07",
        "2025-10-28T07:51:31.",
        "2025-10-28T07:51:31.1234567",
        "2025-10-28T24:00:00",
        "2025-10-28T23:59:60",
        "2025-13-01",
        "2025-02-29",
        "0000-01-01",
        "2025-10-28T07:51:31+24:00",
        "2025-10-28T07:51:31+07:60",
        "2025-10-28T07:51:31+7",
        "0001-01-01T00:00:00+07:00",
        "9999-12-31T23:00:00-07:00",
        " 2025-10-28",
        "2025-10-28\n",
        "2025-10-28t07:51:31z",
        "٢٠٢٥-10-28",
        "1730073091",
    ],
)
def test_anything_else_is_no_time(text: str) -> None:
    assert parse_time(text) is None


@given(st.text())
def test_no_text_raises(text: str) -> None:
    parse_time(text)


@given(st.datetimes())
def test_text_reads_back(at: datetime) -> None:
    assert len(utc_text(at)) == 26
    assert parse_time(utc_text(at)) == at


def test_years_are_padded() -> None:
    assert utc_text(datetime(7, 1, 2)) == "0007-01-02 00:00:00.000000"


@pytest.mark.parametrize(
    ("at", "problem"),
    [
        (datetime(1999, 12, 31, 23, 59, 59), "dated before 2000"),
        (datetime(2000, 1, 1), None),
        (NOW + timedelta(days=1), None),
        (NOW + timedelta(days=1, microseconds=1), "dated more than a day ahead"),
        (datetime.max, "dated more than a day ahead"),
    ],
)
def test_dates_that_cannot_be_true(at: datetime, problem: str | None) -> None:
    assert date_problem(at, NOW) == problem


def test_now_stands_in_for_a_modification_time_that_cannot_be_true() -> None:
    assert believable(datetime(1970, 1, 1), NOW) == NOW
    assert believable(datetime(2025, 1, 1), NOW) == datetime(2025, 1, 1)
