import io
from pathlib import Path

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.sources.csv_records import (
    MAX_RECORD_LINES,
    Record,
    landing_line,
    split_records,
)
from ingest.text import MAX_RECORD_BYTES

HEADER = b"a,b\n"


def split(data: bytes) -> list[Record]:
    return list(split_records(io.BytesIO(data)))


def landing_csv(rows: list[tuple[str | None, ...]]) -> bytes:
    return "".join([landing_line(row) + "\n" for row in rows]).encode()


def body(data: bytes) -> list[Record]:
    """The records behind a header of two columns."""
    header, *rest = split(HEADER + data)
    assert header == Record(1, ["a", "b"], "a,b", None)
    return rest


@pytest.mark.parametrize(
    ("data", "cells", "raw"),
    [
        (b"1,2\n", ["1", "2"], "1,2"),
        (b"1,2", ["1", "2"], "1,2"),
        (b"1,\r\n", ["1", ""], "1,"),
        (b" 1 ,\t2\r", [" 1 ", "\t2"], " 1 ,\t2"),
        (b'"1,5",2\n', ["1,5", "2"], '"1,5",2'),
        (b'"say ""hi""",""\n', ['say "hi"', ""], '"say ""hi""",""'),
        (b'"""",2\n', ['"', "2"], '"""",2'),
        (b'in"side,"x"\n', ['in"side', "x"], 'in"side,"x"'),
        (b'1,"two\nlines"\n', ["1", "two\nlines"], '1,"two\nlines"'),
        (b'"a\r\n\r\nb",2\r\n', ["a\r\n\r\nb", "2"], '"a\r\n\r\nb",2'),
        (b'"a\n","\nb"', ["a\n", "\nb"], '"a\n","\nb"'),
        (b"1,a\0b\n", ["1", "a\ufffdb"], "1,a\ufffdb"),
        ("1,✅ \u2028\n".encode(), ["1", "✅ \u2028"], "1,✅ \u2028"),
    ],
)
def test_one_good_record(data: bytes, cells: list[str], raw: str) -> None:
    assert body(data) == [Record(2, cells, raw, None)]


def test_a_bom_is_dropped_and_blank_lines_count() -> None:
    assert split(b"\xef\xbb\xbfa,b\r\n\r\n  \n1,2\n") == [
        Record(1, ["a", "b"], "a,b", None),
        Record(4, ["1", "2"], "1,2", None),
    ]
    assert split(b"") == split(b"\n\n") == []


@pytest.mark.parametrize(
    ("bad", "problem"),
    [
        (b'"open,1', "quote never closed"),
        (b'1,"', "quote never closed"),
        (b'1,2,"\n', "quote never closed"),
        (b'"x"y,1', "text after a closing quote"),
        (b"1,\xff", "not UTF-8"),
        (b"1,2,3", "number of cells differs from the header"),
        (b'"1"', "number of cells differs from the header"),
        (b"x" * (MAX_RECORD_BYTES + 1), "record is too long"),
    ],
)
def test_a_bad_record_costs_only_itself(bad: bytes, problem: str) -> None:
    before, broken, *after = body(b"1,2\n" + bad + b'\n"3",4\n"5\n",6\n')
    assert before == Record(2, ["1", "2"], "1,2", None)
    assert broken.problem == problem
    assert broken.line_number == 3
    assert [record.cells for record in after] == [["3", "4"], ["5\n", "6"]]


def test_a_quote_that_closes_too_late() -> None:
    lines = b"x\n" * MAX_RECORD_LINES
    first, *others = body(b'1,"' + lines + b'"\n')
    assert first == Record(2, None, '1,"x', "quote never closed")
    assert len(others) == MAX_RECORD_LINES
    [one] = body(b'1,"' + b"x\n" * (MAX_RECORD_LINES - 1) + b'"\n')
    assert one.problem is None
    lines = (b"x" * 10_000 + b"\n") * 150
    first, *others = body(b'1,"' + lines + b'"\n')
    assert (first.problem, len(others)) == ("quote never closed", 150)


def test_bad_bytes_behind_a_line_end_within_quotes() -> None:
    assert body(b'1,"a\n\xff"\n2,3') == [
        Record(2, None, '1,"a\n\ufffd"', "not UTF-8"),
        Record(4, ["2", "3"], "2,3", None),
    ]


def test_a_header_may_have_quotes() -> None:
    assert split(b'"a\nb","c"\n1,2\n1\n') == [
        Record(1, ["a\nb", "c"], '"a\nb","c"', None),
        Record(3, ["1", "2"], "1,2", None),
        Record(4, ["1"], "1", "number of cells differs from the header"),
    ]


@given(
    st.lists(
        st.text(alphabet='ab",# \r\n').map(str.encode)
        | st.binary(max_size=6)
        | st.sampled_from([b"1,2\n", b'"x",y\n', b'"x\ny",z\n', b'",\n', b"\n"]),
        max_size=20,
    )
)
@settings(deadline=None)
def test_every_line_is_in_one_record(pieces: list[bytes]) -> None:
    data = b"".join([HEADER, *pieces])
    lines = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
    wanted = {number for number, line in enumerate(lines, 1) if line.strip()}
    found: list[int] = []
    for record in split(data):
        raw = record.raw.replace("\r\n", "\n").replace("\r", "\n")
        found += [
            record.line_number + offset
            for offset, line in enumerate(raw.split("\n"))
            if record.line_number + offset in wanted
        ]
    assert found == sorted(wanted)


CELLS = st.none() | st.text(
    alphabet=st.characters(codec="utf-8", exclude_characters="\0")
)


@given(st.lists(st.tuples(CELLS, CELLS, CELLS)))
@settings(deadline=None)
def test_what_is_written_is_split_back(rows: list[tuple[str | None, ...]]) -> None:
    data = landing_csv([("a", "b", "c"), *rows])
    header, *records = split(data)
    assert header.cells == ["a", "b", "c"]
    assert [record.cells for record in records] == [
        [cell or "" for cell in row] for row in rows
    ]


HARD = [
    *('say "hi"', "two\nlines", "\r\n", "a\rb", "back\\slash", '\\"', "a,b"),
    *("# no comment", "#", " padded ", "", None, "NULL", "\\N", "'", '"', '""'),
    *("✅ \u2028\ufeff", "\t", ";|", "x" * 100_000),
]


def test_duckdb_reads_back_what_is_written(tmp_path: Path) -> None:
    rows = [(one, other) for one in HARD for other in HARD]
    path = tmp_path / "part.csv"
    path.write_bytes(landing_csv([("one", "other"), *rows]))
    back = duckdb.execute(
        f"""
        select * from read_csv('{path}', header=true, all_varchar=true, delim=',',
            quote='"', escape='"', max_line_size=16777216)
        """
    ).fetchall()
    assert back == [(one or None, other or None) for one, other in rows]
