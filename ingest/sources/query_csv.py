"""Nightly query-performance CSV files: executed queries, or query patterns.

The header tells which, not the name of the file.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import BinaryIO, Literal

from ingest.json_text import MAX_NAME_LENGTH, MAX_NAMES, dump
from ingest.masks import MASK, Masks, is_secret_name
from ingest.sources.csv_records import (
    Record,
    quoted,
    split_records,
    write_landing_csv,
)
from ingest.text import cut
from ingest.times import date_problem, parse_time, utc_text

__all__ = [
    "LANDING_COLUMNS",
    "QueryFile",
    "Record",
    "Source",
    "classify",
    "day_problem",
    "read_query_csv",
    "split_records",
    "whole_file",
    "write_landing_csv",
]

Source = Literal["query_rows", "query_patterns"]
Row = list[str | None]

ROW_CELLS = (
    "timestamp",
    "query_hash",
    "query_type",
    "execution_time_ms",
    "rows_examined",
    "rows_returned",
    "cache_hit",
    "table_name",
    "index_used",
    "cpu_time_ms",
    "io_wait_ms",
)
PATTERN_CELLS = (
    "pattern",
    "samples",
    "avg_ms",
    "p50_ms",
    "p95_ms",
    "p99_ms",
    "slow_flag",
)
_ABOUT = ("extra_columns", "source_file", "line_number", "problem", "raw")
CELLS: dict[Source, tuple[str, ...]] = {
    "query_rows": ROW_CELLS,
    "query_patterns": PATTERN_CELLS,
}
LANDING_COLUMNS: dict[Source, tuple[str, ...]] = {
    "query_rows": ROW_CELLS + _ABOUT,
    "query_patterns": PATTERN_CELLS + _ABOUT,
}
REQUIRED: dict[Source, tuple[str, ...]] = {
    "query_rows": ("timestamp", "query_hash", "execution_time_ms"),
    "query_patterns": ("pattern",),
}
OPTIONAL: dict[Source, tuple[str, ...]] = {
    "query_rows": ("cpu_time_ms", "io_wait_ms"),
    "query_patterns": (),
}

UNKNOWN_HEADER = "unknown header"


@dataclass(frozen=True)
class QueryFile:
    """A file of query_rows or query_patterns.

    `rows` have the columns LANDING_COLUMNS[source], each text or None, and can be
    gone through once; `names` are the columns or keys that the file has. A
    file that cannot be used at all has exactly one row, which says why.
    """

    source: Source
    names: list[str]
    rows: Iterator[Row]


def classify(header: Sequence[str]) -> Source | None:
    """Which source a header belongs to, None when to neither.

    A header that has the mark of both is that of which it has more.
    """
    names = {_plain(name) for name in header}
    is_rows = bool(names & {"query_hash", "execution_time_ms"})
    is_patterns = "pattern" in names
    if is_rows and is_patterns:
        is_rows = len(names & set(ROW_CELLS)) >= len(names & set(PATTERN_CELLS))
    if is_rows:
        return "query_rows"
    return "query_patterns" if is_patterns else None


def read_query_csv(
    stream: BinaryIO, source_file: str, day: date, masks: Masks, now: datetime
) -> QueryFile:
    """Read a CSV file, streaming: bad records become rows with a problem.

    `day` is the one that the file's name says (a week's Monday); where it is not
    believable, that is the problem of each row. `source_file` is the masked
    base name. A file without any record has no names and no rows.
    """
    records = split_records(stream)
    header = next(records, None)
    by_name: Source = "query_patterns" if "weekly" in source_file else "query_rows"
    if header is None:
        return QueryFile(by_name, [], iter(()))
    cells = header.cells or []
    names = _names(cells, masks)
    source = classify(cells) or by_name
    problem = header.problem or _header_problem(cells, names)
    if problem is not None:
        raw, number = masks.raw(header.raw), header.line_number
        row = whole_file(source, source_file, problem, raw, number)
        return QueryFile(source, names[:MAX_NAMES], iter((row,)))
    rows = _rows(records, source, names, source_file, day, masks, now)
    return QueryFile(source, names[:MAX_NAMES], rows)


def _header_problem(cells: list[str], names: list[str]) -> str | None:
    source = classify(cells)
    if source is None:
        return UNKNOWN_HEADER
    for column in REQUIRED[source]:
        if column not in names:
            return f"required column {column} is missing"
    return None


def whole_file(
    source: Source, source_file: str, problem: str, raw: str, line_number: int = 1
) -> Row:
    """The one row of a file that cannot be used; `raw` is masked already."""
    cells: Row = [None] * len(CELLS[source])
    return [*cells, None, source_file, str(line_number), problem, raw]


def day_problem(day: date, now: datetime) -> str | None:
    """What is wrong with the day of a file, if it cannot be true."""
    return date_problem(datetime(day.year, day.month, day.day), now)


def _plain(name: str) -> str:
    return name.strip().lower()


def _names(header: Sequence[str], masks: Masks) -> list[str]:
    """Column names, each once: a name that comes again gets a number.

    So the second column of a name is an extra one, and drift shows it.
    """
    names: dict[str, None] = {}
    for position, written in enumerate(header, start=1):
        name = masks.text(_plain(written))[:MAX_NAME_LENGTH] or f"column_{position}"
        number = 2
        unique = name
        while unique in names:
            unique = f"{name}_{number}"
            number += 1
        names[unique] = None
    return list(names)


def _rows(
    records: Iterator[Record],
    source: Source,
    names: list[str],
    source_file: str,
    day: date,
    masks: Masks,
    now: datetime,
) -> Iterator[Row]:
    known_names = CELLS[source]
    places = [names.index(name) if name in names else None for name in known_names]
    extra = {n: at for at, n in enumerate(names) if n not in known_names}
    secret = [at for name, at in extra.items() if is_secret_name(name)]
    wrong_day = day_problem(day, now)
    # Times between these texts are believable, whatever their offset.
    earliest, latest = "2000-01-03", utc_text(now)[:10]
    full, short = len(known_names), len(known_names) - len(OPTIONAL[source])
    for record in records:
        cells, raw = _masked(record, secret, masks)
        if cells is None or record.problem is not None:
            reason = record.problem or ""
            yield whole_file(source, source_file, reason, cut(raw), record.line_number)
            continue
        known: Row = [None if at is None else cells[at] or None for at in places]
        problem = wrong_day
        if wrong_day is None and source == "query_rows":
            written = known[0]
            if written is not None and not earliest < written < latest:
                time = parse_time(written.strip(" "))  # as SQL does
                problem = date_problem(time, now) if time else None
        # What SQL can put together again need not be stored twice.
        length = full if known[-1] and known[-2] else short
        rebuilt = ",".join([cell or "" for cell in known[:length]])
        yield [
            *known,
            dump({n: cells[at] or None for n, at in extra.items()}) if extra else None,
            source_file,
            str(record.line_number),
            problem,
            None if rebuilt == raw else cut(raw),
        ]


def _masked(
    record: Record, secret: list[int], masks: Masks
) -> tuple[list[str] | None, str]:
    """The cells and the raw text of a record without its secrets."""
    if record.cells is None:
        return None, masks.raw(record.raw)
    if not secret and not masks.suspicious(record.raw):
        return record.cells, record.raw
    cells = [masks.text(cell) for cell in record.cells]
    for at in secret:
        if at < len(cells) and cells[at]:
            cells[at] = MASK
    if cells == record.cells:
        return cells, record.raw
    return cells, ",".join([quoted(cell) for cell in cells])
