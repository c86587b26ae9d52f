import csv
import io
from datetime import date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.masking.masks import load_masks
from ingest.root import PROJECT
from ingest.sources.query_csv import (
    CELLS,
    LANDING_COLUMNS,
    QueryFile,
    classify,
    read_query_csv,
)
from ingest.text.clean import MAX_CELL_CHARS

NOW = datetime(2025, 10, 28, 12)
DAY = date(2025, 10, 28)
DAILY = "query_perf_daily_20251028.csv"
ROWS_HEADER = ",".join(CELLS["query_rows"][:9])
PATTERNS_HEADER = ",".join(CELLS["query_patterns"])
MASKS = load_masks()
SAMPLES = PROJECT.parent / "shared" / "samples" / "g" / "reports"
needs_samples = pytest.mark.skipif(not SAMPLES.exists(), reason="no samples here")


def read(
    text: str, name: str = DAILY, day: date | None = DAY, encoding: str = "utf-8"
) -> QueryFile:
    return read_query_csv(io.BytesIO(text.encode(encoding)), name, day, MASKS, NOW)


def records(file: QueryFile) -> list[dict[str, str]]:
    """The cells that are not NULL, by landing column."""
    columns = LANDING_COLUMNS[file.source]
    csv.field_size_limit(MAX_CELL_CHARS)
    return [
        {name: cell for name, cell in zip(columns, row, strict=True) if cell}
        for row in csv.reader(io.StringIO("\n".join(file.lines), newline=""))
    ]


@pytest.mark.parametrize(
    ("header", "source"),
    [
        (ROWS_HEADER, "query_rows"),
        (PATTERNS_HEADER, "query_patterns"),
        (" Query_Hash ,x", "query_rows"),
        ("x,EXECUTION_TIME_MS", "query_rows"),
        ("slow_flag,pattern", "query_patterns"),
        (PATTERNS_HEADER + ",query_hash", "query_patterns"),
        (ROWS_HEADER + ",pattern", "query_rows"),
        ("timestamp,hash,query_type", "query_rows"),
        ("query_pattern,samples,avg_ms", "query_patterns"),
        ("patterns", None),
        ("", None),
    ],
)
def test_classify(header: str, source: str | None) -> None:
    assert classify(header.split(",")) == source


def test_rows() -> None:
    file = read(f"{ROWS_HEADER}\n2025-10-28T00:15:23Z,a1,SELECT,45.20,,10,,docs,\n")
    assert file.source == "query_rows"
    assert file.names == ROWS_HEADER.split(",")
    assert list(file.lines) == [
        f"2025-10-28T00:15:23Z,a1,SELECT,45.20,,10,,docs,,,,,{DAILY},2,,"
    ]


@pytest.mark.parametrize(
    ("cpu", "io_wait", "raw"),
    [("1.5", "2", None), ("1.5", "", "t,h,,1,,,,,,1.5,"), ("", "", "t,h,,1,,,,,,,")],
)
def test_raw_is_kept_where_sql_cannot_rebuild_it(
    cpu: str, io_wait: str, raw: str | None
) -> None:
    header = ",".join(CELLS["query_rows"])
    [record] = records(read(f"{header}\nt,h,,1,,,,,,{cpu},{io_wait}\n"))
    assert record.get("raw") == raw


def test_patterns_with_quotes_keep_their_raw_text() -> None:
    line = '"select ""x"", 1",5,109.73,52.00,131.00,146.20,true'
    file = read(f"{PATTERNS_HEADER}\n{line}\nplain,1,2,3,4,5,false\n")
    first, second = records(file)
    assert (first["pattern"], first["p50_ms"]) == ('select "x", 1', "52.00")
    assert first["raw"] == line
    assert "raw" not in second


def test_columns_may_stand_in_any_order_be_missing_or_new() -> None:
    file = read(
        "New, Execution_Time_MS ,QUERY_HASH,timestamp,query_hash,,new\n"
        "n,1.5,h,2025-10-28,second,,\n"
    )
    assert file.names == [
        "new",
        "execution_time_ms",
        "query_hash",
        "timestamp",
        "query_hash_2",
        "column_6",
        "new_2",
    ]
    [record] = records(file)
    assert record == {
        "timestamp": "2025-10-28",
        "query_hash": "h",
        "execution_time_ms": "1.5",
        "header": "New, Execution_Time_MS ,QUERY_HASH,timestamp,query_hash,,new",
        "source_file": DAILY,
        "line_number": "2",
        "raw": "n,1.5,h,2025-10-28,second,,",
    }


LINES = [f"2025-10-28T00:00:0{n}Z,h{n},SELECT,{n}.5,1,2,true,docs,i" for n in range(5)]


@pytest.mark.parametrize(
    "header",
    [
        ROWS_HEADER.replace("query_hash", "hash"),
        ROWS_HEADER.replace("query_hash", "hash").replace("execution_time_ms", "took"),
        ROWS_HEADER.replace("timestamp", "timestamp,timestamp_utc")[:-11],
    ],
)
def test_a_header_that_lacks_a_column_lands_every_record(header: str) -> None:
    found = records(read("\n".join([header, *LINES])))
    assert [record["raw"] for record in found] == LINES
    assert not any("problem" in record for record in found)
    # Once per file, for a better reader.
    assert [record.get("header") for record in found] == [header] + [None] * 4


@pytest.mark.parametrize("name", [DAILY, "query_perf_weekly_202543.csv"])
@pytest.mark.parametrize(
    "lines",
    [
        ["x,y", "1,2", "3,4"],
        LINES,  # no header at all: columns are never guessed
        ["Error: no connection", "  at line 1, column 3", "token=s3cr3t"],
        ['"x,y', '"1","2', '3",4'],
    ],
)
def test_below_an_unknown_header_every_line_is_a_reject(
    lines: list[str], name: str
) -> None:
    file = read("\n" + "\n".join(lines), name)
    assert file.source == ("query_rows" if name == DAILY else "query_patterns")
    assert records(file) == [
        {
            "source_file": name,
            "line_number": str(number),
            "problem": "unknown header",
            "raw": MASKS.text(line),
        }
        for number, line in enumerate(lines, start=2)
    ]
    assert file.names


def test_an_odd_quote_in_the_header_costs_nothing() -> None:
    for header in ('"' + ROWS_HEADER, ROWS_HEADER + '"', f'"{ROWS_HEADER}"'):
        found = records(read("\n".join([header, *LINES])))
        if len(found) == len(LINES):
            assert [record["query_hash"] for record in found] == [
                "h0", "h1", "h2", "h3", "h4"
            ]  # fmt: skip


@pytest.mark.parametrize("separator", [";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_other_shapes_say_the_same(separator: str, encoding: str, end: str) -> None:
    usual = records(read("\n".join([ROWS_HEADER, *LINES])))
    header = ROWS_HEADER.upper().replace(",", f'"{separator} "')
    lines = [f'"{header}"', *(line.replace(",", separator) for line in LINES)]
    text = end.join(["# a comment", "", *lines, ""])
    for record, plain in zip(
        records(read(text, encoding=encoding)), usual, strict=True
    ):
        assert {name: record[name] for name in CELLS["query_rows"][:9]} == {
            name: plain[name] for name in CELLS["query_rows"][:9]
        }


def test_no_record_is_lost_with_an_impossible_date_in_the_name() -> None:
    file = read("\n".join([ROWS_HEADER, *LINES]), day=None)
    assert [(r["query_hash"], r["problem"]) for r in records(file)] == [
        (f"h{n}", "the date in the file name is impossible") for n in range(5)
    ]


def test_a_wide_file_names_its_columns_once() -> None:
    names = [f"a_column_with_quite_a_long_name_{n}" for n in range(2_000)]
    header = ",".join([*names, ROWS_HEADER])
    row = ",".join(["x"] * 2_000 + [LINES[0]])
    text = "\n".join([header] + [row] * 50)
    file = read(text)
    assert sum(len(line) for line in file.lines) < 2 * len(text)
    assert "index_used" in file.names


def test_a_file_without_records() -> None:
    assert records(read("\n")) == []
    assert records(read(ROWS_HEADER)) == []
    assert read("\n").names == []


@pytest.mark.parametrize(
    ("time", "problem"),
    [
        ("2025-10-28T11:00:00Z", None),
        ("2025-10-29T12:00:00Z", None),
        ("2025-10-29T12:00:01Z", "dated more than a day ahead"),
        ("2025-10-28T12:00:00-23:59", None),
        ("2025-10-29T19:00:00+07:00", None),
        ("2025-10-28T23:00:00-14:00", "dated more than a day ahead"),
        ("2000-01-01T00:00:00Z", None),
        ("2000-01-01T03:00:00+07:00", "dated before 2000"),
        ("1999-12-31", "dated before 2000"),
        ("3", None),
        ("0", None),
        ("", None),
    ],
)
def test_times_that_cannot_be_true(time: str, problem: str | None) -> None:
    [record] = records(read(f"{ROWS_HEADER}\n{time},h,,1,,,,,\n"))
    assert record.get("problem") == problem


@pytest.mark.parametrize("header", [ROWS_HEADER, PATTERNS_HEADER])
def test_a_day_that_cannot_be_true_is_the_problem_of_each_record(header: str) -> None:
    line = "x" + "," * header.count(",")
    for day, problem in (
        (date(1999, 1, 1), "dated before 2000"),
        (date(2099, 1, 1), "dated more than a day ahead"),
    ):
        found = records(read(f"{header}\n{line}\n{line}\n", day=day))
        assert [record["problem"] for record in found] == [problem] * 2


def test_secrets_are_masked_cell_by_cell() -> None:
    header = f"{PATTERNS_HEADER},api_key"
    file = read(
        f"{header}\ntoken=s3cr3t,5,1,2,3,4,true,\n"
        '"say ""token"": ""s3cr3t"", ok",5,1,2,3,4,true,s3cr3t\n'
        "token=s3cr3t,5\n"
        '"token=s3cr3t\n'
        "token savings,5,1,2,3,4,true,\n"
    )
    first, second, short, unclosed, clean = records(file)
    assert first["pattern"] == "token=***"
    assert first["raw"] == "token=***,5,1,2,3,4,true,"
    assert second["pattern"] == 'say "token": "***", ok'
    assert second["raw"] == '"say ""token"": ""***"", ok",5,1,2,3,4,true,***'
    assert (short["raw"], unclosed["raw"]) == ("token=***,5", '"token=***')
    assert clean["raw"] == "token savings,5,1,2,3,4,true,"


def test_a_masked_record_needs_no_raw_text_where_its_cells_say_it() -> None:
    [record] = records(read(f"{PATTERNS_HEADER}\ntoken=s3cr3t,5,1,2,3,4,true\n"))
    assert "raw" not in record


@given(st.binary() | st.text(alphabet='ab",\r\n').map(str.encode))
@settings(deadline=None)
def test_no_bytes_raise(data: bytes) -> None:
    for header in ("", PATTERNS_HEADER + "\n", ROWS_HEADER + "\r\n"):
        stream = io.BytesIO(header.encode() + data)
        records(read_query_csv(stream, DAILY, DAY, MASKS, NOW))


TIMES = ["2025-10-27T23:00:00Z", "2025-10-28T11:00:00Z", "2025-10-30", "1999-01-01"]
CELL = st.sampled_from([*TIMES, "", " ", "x", "1.5", "é", "#", "token=s3cr3t"])


@given(
    st.sampled_from([*[",".join(CELLS[s]) for s in CELLS], ROWS_HEADER, "pattern,x"]),
    st.lists(st.lists(CELL, min_size=6, max_size=12).map(",".join) | st.just("")),
    st.sampled_from([DAY, date(2026, 1, 1)]),
)
@settings(deadline=None)
def test_a_plain_file_is_read_like_any_other(
    header: str, lines: list[str], day: date
) -> None:
    text = "\n".join([header, *lines])
    # A quote in the last record keeps the reader from taking the short way.
    last = '\n"a","b"'
    plain, other = read(text, day=day), read(text + last, day=day)
    assert list(plain.lines) == list(other.lines)[:-1]


@needs_samples
@pytest.mark.parametrize(
    ("name", "source", "count"),
    [
        ("query_perf_daily_20251028.csv", "query_rows", 2),
        ("query_perf_daily_20251021.csv", "query_patterns", 9),
        ("query_perf_weekly_202543.csv", "query_patterns", 9),
    ],
)
def test_samples(name: str, source: str, count: int) -> None:
    data = (SAMPLES / name).read_bytes()
    file = read_query_csv(io.BytesIO(data), name, DAY, MASKS, NOW)
    assert file.source == source
    found = records(file)
    assert len(found) == count
    assert not any("problem" in record for record in found)
    for position in range(len(data)):
        changed = data[:position] + b'"' + data[position + 1 :]
        file = read_query_csv(io.BytesIO(changed), name, DAY, MASKS, NOW)
        # Two lines may have become one record.
        assert len(records(file)) >= count - 1
