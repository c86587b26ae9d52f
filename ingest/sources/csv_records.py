"""CSV as a stream of records, where one bad record costs only itself.

A quote that is never closed makes other readers swallow the rest of the file.
Here a quoted cell may run over many lines only as long as its record comes out
right; else the line with the quote is a reject and the next line starts anew.
"""

import re
from collections import deque
from collections.abc import Collection, Iterator, Sequence
from enum import Enum, auto
from typing import BinaryIO, NamedTuple

from ingest.sources.lines import PhysicalLine, physical_lines, without_keys
from ingest.text.clean import MAX_RECORD_BYTES, clean, in_utf8

MAX_RECORD_LINES = 1_000
"""Physical lines that one record may run over."""

SEPARATORS = ",;\t|"

NEVER_CLOSED = "quote never closed"
AFTER_QUOTE = "text after a closing quote"
WRONG_NUMBER = "number of cells differs from the header"
NOT_UTF8 = "not UTF-8"
TOO_LONG = "record is too long"

# What bytes.strip takes for blank.
BLANK = " \t\n\r\x0b\x0c"
_NUL = "\ufffd".encode()
# Excel's word for it, above the header.
_TELLS_SEPARATOR = re.compile(r'"?sep=[,;\t|]"?\s*', re.IGNORECASE)
_QUOTED = re.compile(r'[^"]*(?:""[^"]*)*')


class Header(NamedTuple):
    """The header of a file: its cells as written, and what separates them."""

    line_number: int
    cells: list[str]
    raw: str
    separator: str


class Record(NamedTuple):
    """One record: its cells, or why it has none that can be trusted.

    `line_number` is the 1-based physical line it starts on, `raw` its text
    without the line end, of a record that is too long only a beginning.
    """

    line_number: int
    cells: list[str] | None
    raw: str
    problem: str | None


def read_csv(
    stream: BinaryIO, known: Collection[str]
) -> tuple[Header | None, Iterator[Record]]:
    """The header of a CSV stream, if it has any line, and the records below it.

    Blank lines are skipped, and comments and `sep=;` above the header. The header
    is one line; what separates its cells is told by the `known` names (see `plain`)
    that come out. A record is one line, or several where a quoted cell holds
    line ends, it closes within MAX_RECORD_LINES and MAX_RECORD_BYTES, and has as
    many cells as the header. `cells` are None with each problem but a wrong
    number of cells.
    """
    lines = _Lines(stream)
    header = _header(lines, known)
    if header is None:
        return None, iter(())
    return header, _records(lines, header.separator, len(header.cells))


def plain(name: str) -> str:
    """A column's name without the freedoms that writers take."""
    return name.strip().strip("\"'").strip().lower()


def count_known(cells: Sequence[str], known: Collection[str]) -> int:
    """How many known names stand in a header."""
    return len({plain(cell) for cell in cells}.intersection(known))


def _header(lines: "_Lines", known: Collection[str]) -> Header | None:
    while (line := lines.next()) is not None:
        text, _ = _decode(line.data)
        if not text.strip(BLANK) or _TELLS_SEPARATOR.fullmatch(text):
            continue
        is_comment = text.startswith("#")
        names = text.lstrip("#") if is_comment else text
        rows = [(_header_cells(names, mark), mark) for mark in SEPARATORS]
        cells, separator = max(rows, key=lambda row: count_known(row[0], known))
        # Some programs write their header as a comment.
        if not is_comment or count_known(cells, known) > 1:
            return Header(lines.number, cells, text, separator)
    return None


def _header_cells(text: str, separator: str) -> list[str]:
    """The cells of a header, which an odd quote must not take away."""
    reader = _Reader(separator)
    reader.feed(text)
    if reader.is_open or reader.is_broken:
        return text.split(separator)
    return reader.cells


def _records(lines: "_Lines", separator: str, width: int) -> Iterator[Record]:
    while (line := lines.next()) is not None:
        if line.data.strip():
            yield _record(line, lines, separator, width)


class _State(Enum):
    """How a line ends that starts within a quoted cell."""

    OPEN = auto()
    CLOSED = auto()
    BROKEN = auto()


class _Ahead(NamedTuple):
    """A line that was looked at, but not read, as if within a quoted cell.

    `cells` and `length` are totals of all lines looked at with this one.
    """

    line: PhysicalLine
    state: _State
    cells: int
    length: int


class _Lines:
    """Physical lines with a number, and a look at those ahead.

    Where quotes are odd, many a line seems to open a cell that runs on and on:
    so each line ahead is looked at once, whoever asks.
    """

    def __init__(self, stream: BinaryIO) -> None:
        lines = physical_lines(in_utf8(stream)[0], lone_cr=True)
        self._source = (line for line, _ in without_keys(lines))
        self._ahead: deque[_Ahead] = deque()  # all OPEN but for the last
        self._cells = 0
        self._length = 0
        self.number = 0

    def next(self) -> PhysicalLine | None:
        """The next line, without NUL, the first without its mark."""
        if self._ahead:
            line: PhysicalLine | None
            line, _, self._cells, self._length = self._ahead.popleft()
        else:
            line = self._pull()
        if line is not None:
            self.number += 1
        return line

    def close(self, line: PhysicalLine, separator: str) -> tuple[int, int] | None:
        """Where a quoted cell is closed that is open at the end of `line`.

        How many lines on, and how many cells those have; None where it is not,
        or too late. `line` is the one that was read last.
        """
        while True:
            cells, length = self._cells, self._length
            state = _State.OPEN
            if self._ahead:
                _, state, cells, length = self._ahead[-1]
            if (
                len(self._ahead) >= MAX_RECORD_LINES
                or line.length + length - self._length > MAX_RECORD_BYTES
                or state is _State.BROKEN
            ):
                return None
            if state is _State.CLOSED:
                return len(self._ahead), cells - self._cells
            after = self._pull()
            if after is None:
                return None
            reader = _Reader(separator, is_open=True)
            reader.feed(_decode(after.data)[0])
            self._ahead.append(
                _Ahead(
                    after,
                    reader.state,
                    cells + len(reader.cells),
                    length + after.length,
                )
            )

    def _pull(self) -> PhysicalLine | None:
        line = next(self._source, None)
        if line is None:
            return None
        data = line.data
        if self.number == 0 and not self._ahead:
            data = data.removeprefix(b"\xef\xbb\xbf")
        if b"\0" in data:
            data = data.replace(b"\0", _NUL)
        return line if data is line.data else line._replace(data=data)


def _record(line: PhysicalLine, lines: _Lines, separator: str, width: int) -> Record:
    number = lines.number
    text, is_utf8 = _decode(line.data)
    if line.is_too_long:
        return Record(number, None, text, TOO_LONG)
    if not is_utf8:
        return Record(number, None, text, NOT_UTF8)
    if '"' not in text:
        cells = text.split(separator)
        return Record(number, cells, text, width_problem(cells, width))
    reader = _Reader(separator)
    reader.feed(text)
    if reader.is_broken:
        return Record(number, None, text, AFTER_QUOTE)
    if reader.is_open:
        found = lines.close(line, separator)
        if found is None or len(reader.cells) + found[1] != width:
            return Record(number, None, text, NEVER_CLOSED)
        text, is_utf8 = _rest_of_record(text, line.end, lines, found[0], reader)
        if not is_utf8:
            return Record(number, None, text, NOT_UTF8)
    return Record(number, reader.cells, text, width_problem(reader.cells, width))


def _rest_of_record(
    text: str, end: bytes, lines: _Lines, count: int, reader: "_Reader"
) -> tuple[str, bool]:
    """Read on for `count` lines; the whole text, and whether it is UTF-8."""
    parts = [text]
    all_utf8 = True
    for _ in range(count):
        line = lines.next()
        assert line is not None  # it was looked at
        text, is_utf8 = _decode(line.data)
        all_utf8 = all_utf8 and is_utf8
        parts.append(end.decode() + text)
        reader.feed(parts[-1])
        end = line.end
    return "".join(parts), all_utf8


class _Reader:
    """Takes a record with quotes apart, piece by piece.

    A quote counts at the start of a cell only; elsewhere it is text.
    """

    def __init__(self, separator: str, is_open: bool = False) -> None:
        self.cells: list[str] = []
        self.is_open = is_open  # inside of a quoted cell
        self.is_broken = False
        self._separator = separator
        self._parts: list[str] = []

    @property
    def state(self) -> _State:
        if self.is_broken:
            return _State.BROKEN
        return _State.OPEN if self.is_open else _State.CLOSED

    def feed(self, text: str) -> None:
        """Go on with the next line; all but the first bring the end before."""
        position = 0
        while True:
            if not self.is_open:
                if not text.startswith('"', position):
                    end = text.find(self._separator, position)
                    if end < 0:
                        self.cells.append(text[position:])
                        return
                    self.cells.append(text[position:end])
                    position = end + 1
                    continue
                self.is_open = True
                position += 1
            match = _QUOTED.match(text, position)
            assert match is not None  # it matches the empty text
            self._parts.append(match[0])
            position = match.end()
            if position == len(text):
                return
            self.is_open = False
            self.cells.append("".join(self._parts).replace('""', '"'))
            self._parts.clear()
            position += 1
            if position == len(text):
                return
            if text[position] != self._separator:
                self.is_broken = True
                return
            position += 1


def _decode(data: bytes) -> tuple[str, bool]:
    try:
        return data.decode(), True
    except UnicodeDecodeError:
        return data.decode("utf-8", "replace"), False


def width_problem(cells: Sequence[str], width: int) -> str | None:
    """What is wrong with the number of cells below a header of `width` cells."""
    return None if len(cells) == width else WRONG_NUMBER


# A bare \r breaks DuckDB's reader; a leading # is a comment to some.
_NEEDS_QUOTES = re.compile(r'[",\r\n#]')


def landing_line(row: Sequence[str | None]) -> str:
    """A line of well-formed CSV (RFC 4180); None and "" are empty cells.

    Readers need a `max_line_size` above DuckDB's default of 2 MB.
    """
    line = ",".join([cell or "" for cell in row])
    if line.count(",") != len(row) - 1 or _NEEDS_QUOTES.search(line):
        line = ",".join([quoted(cell or "") for cell in row])
    return clean(line)


def quoted(cell: str, separator: str = ",") -> str:
    """A cell as CSV: in quotes where a reader could take it for more."""
    if _NEEDS_QUOTES.search(cell) or separator in cell:
        return '"' + cell.replace('"', '""') + '"'
    return cell
