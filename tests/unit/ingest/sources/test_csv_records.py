import io
from pathlib import Path

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.sources.csv_records import (
    MAX_RECORD_LINES,
    Header,
    Record,
    landing_line,
    read_csv,
)
from ingest.text.clean import MAX_RECORD_BYTES

HEADER = b"a,b\n"


def split(data: bytes, known: str = "a b") -> tuple[Header | None, list[Record]]:
    header, records = read_csv(io.BytesIO(data), known.split())
    return header, list(records)


def landing_csv(rows: list[tuple[str | None, ...]]) -> bytes:
    return "".join([landing_line(row) + "\n" for row in rows]).encode()


def body(data: bytes) -> list[Record]:
    """The records behind a header of two columns."""
    header, records = split(HEADER + data)
    assert header == Header(1, ["a", "b"], "a,b", ",")
    return records


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
    header, records = split(b"\xef\xbb\xbfa,b\r\n\r\n  \n1,2\n")
    assert header == Header(1, ["a", "b"], "a,b", ",")
    assert records == [Record(4, ["1", "2"], "1,2", None)]
    assert split(b"") == split(b"\n\n") == split(b"# a comment\n") == (None, [])


@pytest.mark.parametrize("said", ["sep=;\r\n", '"SEP=;"\n', "# x\nsep=;\n"])
def test_a_line_that_names_the_separator_is_no_header(said: str) -> None:
    header, records = split(f"{said}a;b\n1;2\n".encode())
    assert header is not None
    assert (header.cells, header.separator) == (["a", "b"], ";")
    assert [record.cells for record in records] == [["1", "2"]]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf_16_is_read_with_and_without_a_mark(encoding: str) -> None:
    text = "a,b\r\n1,é✅😀\n"
    header, records = split(text.encode(encoding))
    assert header == Header(1, ["a", "b"], "a,b", ",")
    assert records == [Record(2, ["1", "é✅😀"], "1,é✅😀", None)]


@pytest.mark.parametrize(
    ("text", "cells", "separator"),
    [
        ("a,b", ["a", "b"], ","),
        ("a;b", ["a", "b"], ";"),
        ("a\tb", ["a", "b"], "\t"),
        ("a|b", ["a", "b"], "|"),
        ("a;x,y;b", ["a", "x,y", "b"], ";"),
        ('"a";"x;y";"b"', ["a", "x;y", "b"], ";"),
        (" B , 'A' ", [" B ", " 'A' "], ","),
        ("x;y", ["x;y"], ","),
        ('"a,b', ['"a', "b"], ","),
        ('"a"x,b', ['"a"x', "b"], ","),
        ("#a,b", ["a", "b"], ","),
    ],
)
def test_the_header_tells_what_separates_cells(
    text: str, cells: list[str], separator: str
) -> None:
    row = separator.join(map(str, range(len(cells))))
    header, records = split(f"# made by a job\n\n{text}\n{row}\n".encode())
    assert header == Header(3, cells, text, separator)
    assert records == [Record(4, row.split(separator), row, None)]


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


def test_a_separator_is_text_within_quotes() -> None:
    _, records = split(b'a;b\n"1;""2";3,4\n"5\n;";6\n')
    assert [record.cells for record in records] == [['1;"2', "3,4"], ["5\n;", "6"]]


def plain_reading(data: bytes, width: int) -> list[tuple[int, bool]]:
    """Start and fate of each record: every open cell followed to its end."""
    lines = data.decode().split("\n")
    found = []
    at = 0
    while at < len(lines):
        if not lines[at]:
            at += 1
            continue
        for end in range(at + 1, len(lines) + 1):
            cells, state = [""], "start"
            for sign in "\n".join(lines[at:end]):
                if state == "quoted":
                    state = "quote" if sign == '"' else "quoted"
                elif sign == '"' and state in ("start", "quote"):
                    state = "quoted"
                elif sign == ",":
                    cells.append("")
                    state = "start"
                elif state == "quote":
                    state = "broken"
                    break
                else:
                    state = "text"
            if state != "quoted":
                break
        is_whole = state not in ("quoted", "broken") and len(cells) == width
        found.append((at + 1, is_whole))
        at = end if is_whole else at + 1
    return found


@given(st.lists(st.sampled_from(['"', '""', ",", "\n", "x", ',"', '","', "\n,"])))
@settings(deadline=None, max_examples=500)
def test_odd_quotes_are_read_as_if_each_was_followed(pieces: list[str]) -> None:
    data = b"a,b\n" + "".join(pieces).encode()
    found = [(r.line_number, r.problem is None) for r in split(data)[1]]
    assert found == plain_reading(data, 2)[1:]


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
    header, records = split(data)
    assert header is not None
    places = [(record.line_number, record.raw) for record in records]
    for number, text in [(header.line_number, header.raw), *places]:
        raw = text.replace("\r\n", "\n").replace("\r", "\n")
        found += [
            number + offset
            for offset, line in enumerate(raw.split("\n"))
            if number + offset in wanted
        ]
    assert found == sorted(wanted)


CELLS = st.none() | st.text(
    alphabet=st.characters(codec="utf-8", exclude_characters="\0")
)


@given(st.lists(st.tuples(CELLS, CELLS, CELLS)))
@settings(deadline=None)
def test_what_is_written_is_split_back(rows: list[tuple[str | None, ...]]) -> None:
    data = landing_csv([("a", "b", "c"), *rows])
    header, records = split(data)
    assert header is not None
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
