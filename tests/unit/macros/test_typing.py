"""The typing macros on texts of every kind, and against Python's reading."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal, InvalidOperation

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.contracts.rendering import Renderer
from ingest.text.times import parse_time


def typed(macro: str, *cells: str | None) -> list[object]:
    """What a macro makes of cells, in their order."""
    sql = Renderer().sql(f"{{{{ {macro}('cell') }}}}")
    query = f"select {sql} from (select unnest($1::varchar[]) as cell)"
    return [row[0] for row in duckdb.execute(query, [list(cells)]).fetchall()]


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("12", 12),
        (" 12 ", 12),
        ("-7", -7),
        ("+7", 7),
        ("12.0", 12),
        ("9223372036854775807", 2**63 - 1),
        ("-9223372036854775808", -(2**63)),
        ("9223372036854775808", None),
        ("1.5", None),
        ("1_000", None),
        ("1,000", None),
        ("0x10", None),
        ("1e3", None),
        ("abc", None),
        ("٣", None),
        ("", None),
        (None, None),
    ],
)
def test_bigint(cell: str | None, value: int | None) -> None:
    assert typed("to_bigint", cell) == [value]


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("45.2", 45.2),
        (" 45.2 ", 45.2),
        ("-3", -3.0),
        (".5", 0.5),
        ("5.", 5.0),
        ("1e3", 1000.0),
        ("1.5E-3", 0.0015),
        ("9007199254740992", 2.0**53),
        ("9007199254740993", None),
        ("-9007199254740993.0", None),
        ("9007199254740993e0", None),
        ("9007199254740994", 2.0**53 + 2),
        ("0" * 400 + "1" + "0" * 22 + "." + "0" * 400, 1e22),
        ("1e22", 1e22),
        ("1e23", None),
        ("170141183460469231731687303715884105727", None),
        ("9" * 400, None),
        ("0." + "1" * 400, 1 / 9),
        ("1" + "0" * 400 + "e-400", 1.0),
        ("0.1", 0.1),
        ("9007199254740991.4", 2.0**53 - 1),
        ("5e-324", 5e-324),
        ("1e-400", None),
        ("-0." + "0" * 400 + "1", None),
        ("1e-99999999999999999999", None),
        ("-0e-400", 0.0),
        ("0.000", 0.0),
        ("1e400", None),
        ("1e99999999999999999999", None),
        ("NaN", None),
        ("inf", None),
        ("-Infinity", None),
        ("45,2", None),
        ("1_000", None),
        ("0x10", None),
        ("12ms", None),
        ("", None),
        (None, None),
    ],
)
def test_double(cell: str | None, value: float | None) -> None:
    assert typed("to_double", cell) == [value]


NUMBERS = st.tuples(
    st.sampled_from(["", "-", "+"]),
    st.one_of(
        st.integers(0, 10**40).map(str),
        st.integers(2**53 - 9, 2**53 + 9).map(str),
        st.integers(52, 130).map(lambda power: str(2**power)),
        st.text("0123456789.", max_size=40),
    ),
    st.one_of(st.just(""), st.integers(-400, 400).map("e{}".format)),
).map("".join)


def held_by_a_double(text: str) -> set[float | None]:
    """What a text may become: the number itself, or a fraction rounded."""
    try:
        number = Decimal(text)
    except InvalidOperation:
        return {None}
    held = float(number)
    if abs(held) < 2**53:
        return {None} if number and not held else {held}
    if number != number.to_integral_value():
        return {None, held}  # between whole numbers of which not all are there
    return {held} if number.copy_abs() < 2**127 and number == held else {None}


@given(st.lists(NUMBERS, max_size=40))
def test_a_double_is_exact_or_a_rounded_fraction(texts: list[str]) -> None:
    for text, value in zip(texts, typed("to_double", *texts), strict=True):
        assert value in held_by_a_double(text), text


def test_there_is_no_negative_zero() -> None:
    assert [str(value) for value in typed("to_double", "-0", "-0.0e5")] == ["0.0"] * 2


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        *((cell, True) for cell in ("true", "TRUE", "t", "yes", "1", " true ")),
        *((cell, False) for cell in ("false", "False", "f", "no", "0")),
        *((cell, None) for cell in ("maybe", "2", "", None)),
    ],
)
def test_boolean(cell: str | None, value: bool | None) -> None:
    assert typed("to_boolean", cell) == [value]


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("2025-10-28T00:15:23Z", datetime(2025, 10, 28, 0, 15, 23)),
        ("2025-10-28 00:15:23", datetime(2025, 10, 28, 0, 15, 23)),
        ("2025-10-28T01:00:00+07:00", datetime(2025, 10, 27, 18)),
        ("2025-10-28T01:00:00-0730", datetime(2025, 10, 28, 8, 30)),
        ("2025-10-28T01:00+07", datetime(2025, 10, 27, 18)),
        ("2025-10-28", datetime(2025, 10, 28)),
        ("2024-02-29T12:00:00.123456Z", datetime(2024, 2, 29, 12, 0, 0, 123456)),
        ("2025-02-29", None),
        ("2025-10-28T24:00:00Z", None),
        ("2025-10-28T23:59:60Z", None),
        ("2025-10-28T00:00:00.1234567Z", None),
        ("2025-10-28T00:00:00.1234560Z", datetime(2025, 10, 28, 0, 0, 0, 123456)),
        ("28.10.2025", None),
        ("1761600000", None),
        ("now", None),
        ("infinity", None),
        ("", None),
        (None, None),
    ],
)
def test_times(cell: str | None, value: datetime | None) -> None:
    assert typed("utc_timestamp", cell) == [value]


def digits(last: int) -> st.SearchStrategy[str]:
    return st.integers(0, last).map("{:02}".format)


TIMES = st.tuples(
    st.sampled_from(["0001", "1969", "2000", "2024", "2025", "9999", "99"]),
    st.sampled_from(["-", "-", "-", "/"]),
    digits(13),
    digits(32),
    st.sampled_from(["T", "T", " ", "t"]),
    digits(25),
    digits(61),
    st.sampled_from(["", ":00", ":59", ":60", ":7"]),
    st.sampled_from(["", ".", ".5", ".123456", ".1234560", ".1234567"]),
    st.sampled_from(["", "Z", "z", "+07:00", "-0730", "+24:00", "+07:60", "+7"]),
).map(lambda p: f"{p[0]}{p[1]}{p[2]}{p[1]}{p[3]}{p[4]}{p[5]}:{p[6]}{p[7]}{p[8]}{p[9]}")


@given(st.lists(TIMES | st.text("0123456789-:TZ+. ", max_size=30), max_size=40))
def test_python_and_sql_read_the_same_times(texts: list[str]) -> None:
    # SQL trims the cells of a CSV; Python's callers have done so before.
    assert typed("utc_timestamp", *texts) == [parse_time(t.strip(" ")) for t in texts]
