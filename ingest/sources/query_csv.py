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
    BLANK,
    Record,
    landing_line,
    plain_record,
    plain_records,
    plain_text,
    quoted,
    split_records,
)
from ingest.text import cut
from ingest.times import date_problem, parse_time, utc_text

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

    `lines` are its records as lines of CSV with the columns
    LANDING_COLUMNS[source] and can be gone through once; `names` are the columns
    or keys that the file has. A file that cannot be used at all has exactly one
    line, which says why.
    """

    source: Source
    names: list[str]
    lines: Iterator[str]


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
    text, stream = plain_text(stream)
    records = split_records(stream) if text is None else plain_records(text)
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
        line = whole_file(source, source_file, problem, raw, number)
        return QueryFile(source, names[:MAX_NAMES], iter((line,)))
    reader = _Reader(source, names, source_file, day_problem(day, now), masks, now)
    if text is not None and reader.understands_at_once(text):
        lines = reader.plain_lines(text, header.line_number)
    else:
        lines = map(reader.line, records)
    return QueryFile(source, names[:MAX_NAMES], lines)


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
) -> str:
    """The one line of a file that cannot be used; `raw` is masked already."""
    cells: list[str | None] = [None] * len(CELLS[source])
    return landing_line([*cells, None, source_file, str(line_number), problem, raw])


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


class _Reader:
    """Turns the records of one file into lines of the landing."""

    def __init__(
        self,
        source: Source,
        names: list[str],
        source_file: str,
        wrong_day: str | None,
        masks: Masks,
        now: datetime,
    ) -> None:
        self.source = source
        self.names = names
        self.source_file = source_file
        self.wrong_day = wrong_day
        self.masks = masks
        self.now = now
        known = CELLS[source]
        self.full, self.short = len(known), len(known) - len(OPTIONAL[source])
        self.places = [names.index(name) if name in names else None for name in known]
        self.extra = {n: at for at, n in enumerate(names) if n not in known}
        self.secret = [at for name, at in self.extra.items() if is_secret_name(name)]
        # Times between these texts are believable, whatever their offset.
        self.earliest, self.latest = "2000-01-03", utc_text(now)[:10]

    def line(self, record: Record) -> str:
        """A record as a line of the landing."""
        cells, raw = _masked(record, self.secret, self.masks)
        file, number = self.source_file, record.line_number
        if cells is None or record.problem is not None:
            return whole_file(self.source, file, record.problem or "", cut(raw), number)
        known = [None if at is None else cells[at] or None for at in self.places]
        problem = self.wrong_day
        if problem is None and self.source == "query_rows":
            problem = self._time_problem(known[0])
        # What SQL can put together again need not be stored twice.
        length = self.full if known[-1] and known[-2] else self.short
        rebuilt = ",".join([cell or "" for cell in known[:length]])
        extra = {name: cells[at] or None for name, at in self.extra.items()}
        return landing_line(
            [
                *known,
                dump(extra) if extra else None,
                file,
                str(number),
                problem,
                None if rebuilt == raw else cut(raw),
            ]
        )

    def _time_problem(self, written: str | None) -> str | None:
        if written is None or self.earliest < written < self.latest:
            return None
        time = parse_time(written.strip(" "))  # as SQL does
        return date_problem(time, self.now) if time else None

    def understands_at_once(self, text: str) -> bool:
        """Whether a line of this plain text is nearly a line of the landing.

        So it is where the columns are those of the landing and in their order,
        nothing has to be masked, and nothing is wrong with the file's day.
        """
        width = len(self.names)
        return (
            self.wrong_day is None
            and width in (self.short, self.full)
            and self.names == list(CELLS[self.source][:width])
            and "#" not in text
            and not self.masks.suspicious(text)
        )

    def plain_lines(self, text: str, header_line: int) -> Iterator[str]:
        """The lines below the header, as `line` would make them, only sooner."""
        width = len(self.names)
        commas, is_full = width - 1, width > self.short
        rest = "," * (self.full - width + 2) + quoted(self.source_file)
        earliest, latest = self.earliest, self.latest
        if self.source != "query_rows":
            earliest, latest = "", "\U0010ffff"
        for number, line in enumerate(text.split("\n"), start=1):
            if number <= header_line:
                continue
            if (
                line.count(",") == commas
                and earliest < line < latest
                and not (is_full and "" in line.rsplit(",", 2)[1:])
            ):
                yield f"{line}{rest},{number},,"
            elif line.strip(BLANK):
                yield self.line(plain_record(number, line, width))


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
