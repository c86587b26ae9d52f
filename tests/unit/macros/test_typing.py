"""The typing macros on texts of every kind, and against Python's reading."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import duckdb
import jinja2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.times import parse_time

MACROS = Path(__file__).parents[3] / "macros" / "typing.sql"


def typed(macro: str, *cells: str | None) -> list[object]:
    """What a macro makes of cells, in their order."""
    text = MACROS.read_text(encoding="utf-8")
    sql = jinja2.Environment().from_string(f"{text}{{{{ {macro}('cell') }}}}").render()
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
        ("1e400", None),
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
