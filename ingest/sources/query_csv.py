"""Nightly query-performance CSV files: executed queries, or query patterns.

The header tells which, not the name of the file.
"""

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import chain
from typing import BinaryIO, Literal

from ingest.masking.masks import MASK, Masks
from ingest.masking.secret_names import is_secret_name
from ingest.sources.csv_records import (
    BLANK,
    Header,
    Record,
    count_known,
    landing_line,
    plain,
    quoted,
    read_csv,
    width_problem,
)
from ingest.text.clean import MAX_RECORD_BYTES, rejoined
from ingest.text.json_text import MAX_NAME_LENGTH, MAX_NAMES
from ingest.text.times import date_problem, parse_time, utc_text

Source = Literal["query_rows", "query_patterns"]

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
_ABOUT = ("header", "source_file", "line_number", "problem", "raw")
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
BAD_NAME = "the date in the file name is impossible"

_KNOWN = {*ROW_CELLS, *PATTERN_CELLS}
# The headers that need not be landed: what they say stands in the columns.
_USUAL = {
    ",".join(cells)
    for cells in (
        ROW_CELLS,
        ROW_CELLS[: -len(OPTIONAL["query_rows"])],
        PATTERN_CELLS,
    )
}
# A file of this size is looked at as a whole; no line of it is too long.
_PLAIN_BYTES = MAX_RECORD_BYTES


@dataclass(frozen=True)
class QueryFile:
    """A file of query_rows or query_patterns.

    `lines` are its records as lines of CSV with the columns
    LANDING_COLUMNS[source] and can be gone through once; `names` are the columns
    or keys that the file has, all of them once the lines are through.
    """

    source: Source
    names: list[str]
    lines: Iterator[str]


def classify(header: Sequence[str]) -> Source | None:
    """Which source a header belongs to, None when to neither.

    It is the one of which it has more columns.
    """
    rows, patterns = (count_known(header, CELLS[source]) for source in CELLS)
    if rows or patterns:
        return "query_rows" if rows >= patterns else "query_patterns"
    return None


def read_query_csv(
    stream: BinaryIO, source_file: str, day: date | None, masks: Masks, now: datetime
) -> QueryFile:
    """Read a CSV file, streaming: bad records become rows with a problem.

    `day` is the one that the file's name says (a week's Monday), None where it
    says an impossible one; where it is not believable, that is the problem of
    each row. `source_file` is the masked base name. Below a header of neither
    source each record has a problem, the header too. A file without any record
    has no names and no rows.
    """
    wrong_day = day_problem(day, now)
    start = stream.read(_PLAIN_BYTES)
    text = _plain_text(start, masks) if wrong_day is None else None
    if text is not None:
        usual = text.partition("\n")[0]
        header: Header | None = Header(1, usual.split(","), usual, ",")
        records: Iterator[Record] = iter(())
    else:
        header, records = read_csv(rejoined(start, stream), _KNOWN)
    by_name: Source = "query_patterns" if "weekly" in source_file else "query_rows"
    if header is None:
        return QueryFile(by_name, [], iter(()))
    source = classify(header.cells)
    names = _names(header.cells, masks)
    if source is None:
        lines = _unknown_lines(by_name, header, records, source_file, masks)
        return QueryFile(by_name, names, lines)
    reader = _RowReader(source, header, source_file, wrong_day, masks, now)
    lines = map(reader.line, records) if text is None else reader.plain_lines(text)
    return QueryFile(source, names, lines)


def _unknown_lines(
    source: Source,
    header: Header,
    records: Iterator[Record],
    source_file: str,
    masks: Masks,
) -> Iterator[str]:
    """All of a file whose header says nothing, the header first."""
    first = Record(header.line_number, None, header.raw, None)
    for record in chain([first], records):
        raw, number = masks.raw(record.raw), record.line_number
        yield reject_line(source, source_file, UNKNOWN_HEADER, raw, number)


def reject_line(
    source: Source,
    source_file: str,
    problem: str,
    raw: str,
    line_number: int = 1,
    header: str | None = None,
) -> str:
    """A record without cells; `raw` and `header` are masked already."""
    cells: list[str | None] = [None] * len(CELLS[source])
    return landing_line([*cells, header, source_file, str(line_number), problem, raw])


def day_problem(day: date | None, now: datetime) -> str | None:
    """What is wrong with the day of a file, if it cannot be true."""
    if day is None:
        return BAD_NAME
    return date_problem(datetime(day.year, day.month, day.day), now)


def _plain_text(start: bytes, masks: Masks) -> str | None:
    """The text of a file of which nearly each line is one of the landing already.

    So it is where the columns are those of the landing and in their order, each
    record is simply a line, and nothing has to be masked.
    """
    if len(start) == _PLAIN_BYTES or any(byte in start for byte in b'"\r\0#'):
        return None
    with contextlib.suppress(UnicodeDecodeError):
        text = start.decode()
        if text.partition("\n")[0] in _USUAL and not masks.suspicious(text):
            return text
    return None


def _names(header: Sequence[str], masks: Masks) -> list[str]:
    """Column names, each once: a name that comes again gets a number.

    So the second column of a name is an extra one, and drift shows it.
    """
    names: dict[str, int] = {}  # with the number that one more would get
    for position, written in enumerate(header, start=1):
        name = plain(written)
        if name in _KNOWN and name not in names:
            names[name] = 2
        elif len(names) < MAX_NAMES:
            name = masks.text(name)[:MAX_NAME_LENGTH] or f"column_{position}"
            unique = name
            while unique in names:
                unique = f"{name}_{names[name]}"
                names[name] += 1
            names[unique] = 2
    return list(names)


class _RowReader:
    """Turns the records of one file into lines of the landing."""

    def __init__(
        self,
        source: Source,
        header: Header,
        source_file: str,
        wrong_day: str | None,
        masks: Masks,
        now: datetime,
    ) -> None:
        self.source = source
        # Landed once, beside the first record.
        self.header = None if header.raw in _USUAL else masks.raw(header.raw)
        self.separator = header.separator
        self.width = len(header.cells)
        self.source_file = source_file
        self.wrong_day = wrong_day
        self.masks = masks
        self.now = now
        known = CELLS[source]
        self.full, self.short = len(known), len(known) - len(OPTIONAL[source])
        names = [plain(cell) for cell in header.cells]
        self.places = [names.index(name) if name in names else None for name in known]
        self.secret = [
            at
            for at, written in enumerate(header.cells)
            if at not in self.places and is_secret_name(written.strip(" \"'"))
        ]
        # Times between these texts are believable, whatever their offset.
        self.earliest, self.latest = "2000-01-03", utc_text(now)[:10]

    def line(self, record: Record) -> str:
        """A record as a line of the landing."""
        header, self.header = self.header, None
        cells, raw = _masked(record, self.secret, self.separator, self.masks)
        file, number = self.source_file, record.line_number
        if cells is None or record.problem is not None:
            reason = record.problem or ""
            return reject_line(self.source, file, reason, raw, number, header)
        known = [None if at is None else cells[at] or None for at in self.places]
        problem = self.wrong_day
        if problem is None and self.source == "query_rows":
            problem = self._time_problem(known[0])
        # What SQL can put together again need not be stored twice.
        length = self.full if known[-1] and known[-2] else self.short
        rebuilt = ",".join([cell or "" for cell in known[:length]])
        return landing_line(
            [
                *known,
                header,
                file,
                str(number),
                problem,
                None if rebuilt == raw else raw,
            ]
        )

    def _time_problem(self, written: str | None) -> str | None:
        if written is None or self.earliest < written < self.latest:
            return None
        time = parse_time(written.strip(" "))  # as SQL does
        return date_problem(time, self.now) if time else None

    def plain_lines(self, text: str) -> Iterator[str]:
        """The lines of a plain text, as `line` would make them, only sooner."""
        commas, is_full = self.width - 1, self.width > self.short
        rest = "," * (self.full - self.width + 2) + quoted(self.source_file)
        earliest, latest = self.earliest, self.latest
        if self.source != "query_rows":
            earliest, latest = "", "\U0010ffff"
        for number, line in enumerate(text.split("\n")[1:], start=2):
            if (
                line.count(",") == commas
                and earliest < line < latest
                and not (is_full and "" in line.rsplit(",", 2)[1:])
            ):
                yield f"{line}{rest},{number},,"
            elif line.strip(BLANK):
                cells = line.split(",")
                problem = width_problem(cells, self.width)
                yield self.line(Record(number, cells, line, problem))


def _masked(
    record: Record, secret: list[int], separator: str, masks: Masks
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
    return cells, separator.join([quoted(cell, separator) for cell in cells])
