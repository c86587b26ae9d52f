import io
from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.masking.masks import load_masks
from ingest.sources import lines as lines_module
from ingest.sources.lines import (
    Line,
    date_in,
    day_of,
    fallback_time,
    json_line,
    physical_lines,
    read_lines,
    written_time,
)
from ingest.text.clean import MAX_RECORD_BYTES
from ingest.text.json_text import parse_json

NOW = datetime(2025, 10, 28, 12)
MODIFIED = datetime(2025, 10, 26)
BEFORE = datetime(2025, 10, 25, 3)
MASKS = load_masks()


@pytest.fixture(params=[1, 2, 3, 1 << 18])
def chunk(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines_module, "_CHUNK", request.param)


@pytest.mark.usefixtures("chunk")
def test_lines_may_end_in_three_ways() -> None:
    data = b"a\nb\r\nc\rd\r\r\n\re\r"
    found = [(line.data, line.end) for line in physical_lines(io.BytesIO(data))]
    assert found == [
        (b"a", b"\n"),
        (b"b", b"\r\n"),
        (b"c\rd\r", b"\r\n"),
        (b"\re\r", b""),
    ]
    found = [
        (line.data, line.end) for line in physical_lines(io.BytesIO(data), lone_cr=True)
    ]
    assert found == [
        (b"a", b"\n"),
        (b"b", b"\r\n"),
        (b"c", b"\r"),
        (b"d", b"\r"),
        (b"", b"\r\n"),
        (b"", b"\r"),
        (b"e", b"\r"),
    ]


@given(st.binary() | st.text("ab\r\n").map(str.encode), st.booleans())
def test_lines_add_up_to_the_stream(data: bytes, lone_cr: bool) -> None:
    found = list(physical_lines(io.BytesIO(data), lone_cr=lone_cr))
    assert b"".join(line.data + line.end for line in found) == data
    assert [line.length for line in found] == [
        len(line.data + line.end) for line in found
    ]
    assert all(line.end for line in found[:-1])


@pytest.mark.parametrize("end", [b"\n", b"\r"])
def test_an_overlong_line_costs_only_itself(end: bytes) -> None:
    data = b"a" + end + b"x" * (3 * MAX_RECORD_BYTES) + end + b"b" + end
    first, long, last = physical_lines(io.BytesIO(data), lone_cr=True)
    assert (first.data, last.data) == (b"a", b"b")
    assert long.is_too_long
    assert not first.is_too_long
    assert len(long.data) == MAX_RECORD_BYTES + 1
    assert long.length == 3 * MAX_RECORD_BYTES + 1


def test_lines_have_numbers_and_ends() -> None:
    data = b"\xef\xbb\xbfone\n\n  \r\nfour\r\nfi"
    assert list(read_lines(io.BytesIO(data))) == [
        Line(1, "one", 7, True),
        Line(4, "four", 18, True),
        Line(5, "fi", 20, False),
    ]


@given(st.lists(st.text("ab \r").map(str.encode), max_size=8), st.data())
def test_reading_goes_on_behind_any_complete_line(
    pieces: list[bytes], data: st.DataObject
) -> None:
    stream = b"\n".join(pieces)
    whole = list(read_lines(io.BytesIO(stream)))
    complete = [line for line in whole if line.is_complete]
    if complete:
        at = data.draw(st.sampled_from(complete))
        rest = read_lines(io.BytesIO(stream[at.end :]), at.end, at.number + 1)
        assert [line for line in whole if line.number > at.number] == list(rest)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("optimization_summary_20251021.txt", datetime(2025, 10, 21)),
        ("optimization_summary_2025-10-21_0400.txt", datetime(2025, 10, 21)),
        ("summary_99999999_20251021.txt", datetime(2025, 10, 21)),
        ("summary_19991021.txt", None),
        ("summary_20991021.txt", None),
        ("query_perf_weekly_202543.csv", None),
        ("query_perf_1234567890.jsonl", None),
        ("rollup_daily.ndjson", None),
    ],
)
def test_date_in(name: str, expected: datetime | None) -> None:
    assert date_in(name, NOW) == expected


def test_the_time_of_an_untimed_line() -> None:
    dated, other = "x_20251021.jsonl", "x.jsonl"
    assert fallback_time(dated, BEFORE, MODIFIED, NOW) == datetime(2025, 10, 21)
    assert fallback_time(other, BEFORE, MODIFIED, NOW) == BEFORE
    assert fallback_time(other, None, MODIFIED, NOW) == MODIFIED
    assert fallback_time(other, None, datetime(1970, 1, 1), NOW) == NOW


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("null", (None, None)),
        ('""', (None, None)),
        ('"2025-10-28T01:00:00+07:00"', (datetime(2025, 10, 27, 18), None)),
        ("1761600000", (None, "ts is not a time")),
        ('{"a": 1}', (None, "ts is not a time")),
        ('"1999-01-01"', (datetime(1999, 1, 1), "dated before 2000")),
    ],
)
def test_written_time(value: str, expected: tuple[object, object]) -> None:
    assert written_time(parse_json(value), "ts", NOW) == expected


@pytest.mark.parametrize(
    ("text", "raw", "problem"),
    [
        ('{"a":  1.50}', '{"a":  1.50}', None),
        ('{"token":  ""}', '{"token":  ""}', None),
        ('{"token":  "s3cr3t"}', '{"token":  "***"}', None),
        (r'{"pass\u0077ord": "s3cr3t"}', r'{"pass\u0077ord": "***"}', None),
        ('{"token": "s3cr3t"', '{"token": "***"', "not JSON"),
        ('["token=s3cr3t"]', '["token=***"]', "not an object"),
    ],
)
def test_json_line(text: str, raw: str, problem: str | None) -> None:
    line = json_line(text, MASKS)
    assert (line.raw, line.problem) == (raw, problem)
    assert not (problem and line.value)


def test_a_line_that_is_too_long_is_not_read() -> None:
    text = '{"a": "' + "x" * MAX_RECORD_BYTES + '"}'
    line = json_line(text, MASKS)
    assert line.problem == "line is too long"
    assert text.startswith(line.raw)


@given(st.text())
@settings(deadline=None)
def test_no_line_raises(text: str) -> None:
    json_line(text, MASKS)


def test_day_of_a_record() -> None:
    assert day_of({"at": "2025-10-28 01:00:00.000000"}, MODIFIED).day == 28
    assert day_of({"at": None}, MODIFIED) == MODIFIED.date()
