"""CSV as a stream of records, where one bad record costs only itself.

A quote that is never closed makes other readers swallow the rest of the file.
Here a quoted cell may run over many lines only as long as its record comes out
right; else the line with the quote is a reject and the next line starts anew.
"""

import contextlib
import re
from collections import deque
from collections.abc import Iterator, Sequence
from typing import BinaryIO, NamedTuple, cast

from ingest.sources.lines import PhysicalLine, physical_lines
from ingest.text import MAX_RECORD_BYTES, clean

MAX_RECORD_LINES = 1_000
"""Physical lines that one record may run over."""

NEVER_CLOSED = "quote never closed"
AFTER_QUOTE = "text after a closing quote"
WRONG_NUMBER = "number of cells differs from the header"
NOT_UTF8 = "not UTF-8"
TOO_LONG = "record is too long"

# A file of this size is looked at as a whole; no line of it is too long.
_PLAIN_BYTES = MAX_RECORD_BYTES
# What bytes.strip takes for blank.
BLANK = " \t\n\r\x0b\x0c"
_NUL = "\ufffd".encode()
_QUOTED = re.compile(r'[^"]*(?:""[^"]*)*')


class Record(NamedTuple):
    """One record: its cells, or why it has none that can be trusted.

    `line_number` is the 1-based physical line it starts on, `raw` its text
    without the line end, of a record that is too long only a beginning.
    """

    line_number: int
    cells: list[str] | None
    raw: str
    problem: str | None


def split_records(stream: BinaryIO) -> Iterator[Record]:
    """The records of a CSV stream, the header first; blank lines are skipped.

    A record is one line, or several where a quoted cell holds line ends, it
    closes within MAX_RECORD_LINES and MAX_RECORD_BYTES, and has as many cells as
    the header. `cells` are None with each problem but a wrong number of cells.
    """
    text, stream = plain_text(stream)
    if text is not None:
        yield from plain_records(text)
        return
    lines = _Lines(stream)
    width = 0
    while (line := lines.next()) is not None:
        if not line.data.strip():
            continue
        record = _record(line, lines, width)
        if width == 0 and record.cells is not None:
            width = len(record.cells)
        yield record


def plain_text(stream: BinaryIO) -> tuple[str | None, BinaryIO]:
    """The text of a stream, if each of its records is simply one of its lines.

    Else None, and the stream with all that it held.
    """
    start = stream.read(_PLAIN_BYTES)
    is_plain = len(start) < _PLAIN_BYTES and not any(
        byte in start for byte in (b'"', b"\r", b"\0", b"\xef\xbb\xbf")
    )
    if is_plain:
        with contextlib.suppress(UnicodeDecodeError):
            return start.decode(), stream
    return None, cast(BinaryIO, _Rejoined(start, stream))


def plain_records(text: str) -> Iterator[Record]:
    """The records of a plain text: as of any other, in a third of the time."""
    width = 0
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip(BLANK):
            record = plain_record(number, line, width)
            width = width or len(record.cells or ())
            yield record


def plain_record(number: int, line: str, width: int) -> Record:
    """A line of a plain text, of which the header has `width` cells."""
    cells = line.split(",")
    return Record(number, cells, line, _width_problem(cells, width))


class _Rejoined:
    """A stream with its beginning, which was read already, put back."""

    def __init__(self, start: bytes, rest: BinaryIO) -> None:
        self._start = start
        self._rest = rest

    def read(self, size: int) -> bytes:
        if self._start:
            data, self._start = self._start[:size], self._start[size:]
            return data
        return self._rest.read(size)


class _Lines:
    """Physical lines with a number, which can be given back."""

    def __init__(self, stream: BinaryIO) -> None:
        self._source = physical_lines(stream, lone_cr=True)
        self._returned: deque[PhysicalLine] = deque()
        self.number = 0

    def next(self) -> PhysicalLine | None:
        if self._returned:
            line: PhysicalLine | None = self._returned.popleft()
        else:
            line = next(self._source, None)
            if line is not None:
                line = self._clean(line)
        if line is not None:
            self.number += 1
        return line

    def _clean(self, line: PhysicalLine) -> PhysicalLine:
        data = line.data
        if self.number == 0:
            data = data.removeprefix(b"\xef\xbb\xbf")
        if b"\0" in data:
            data = data.replace(b"\0", _NUL)
        return line if data is line.data else line._replace(data=data)

    def give_back(self, lines: Sequence[PhysicalLine]) -> None:
        self._returned.extendleft(reversed(lines))
        self.number -= len(lines)


def _record(line: PhysicalLine, lines: _Lines, width: int) -> Record:
    number = lines.number
    text, is_utf8 = _decode(line.data)
    if line.is_too_long:
        return Record(number, None, text, TOO_LONG)
    if not is_utf8:
        return Record(number, None, text, NOT_UTF8)
    if '"' not in text:
        cells = text.split(",")
        return Record(number, cells, text, _width_problem(cells, width))
    reader = _Reader()
    reader.feed(text)
    if reader.is_open:
        return _open_record(line, text, lines, reader, width)
    if reader.is_broken:
        return Record(number, None, text, AFTER_QUOTE)
    return Record(number, reader.cells, text, _width_problem(reader.cells, width))


def _open_record(
    line: PhysicalLine, text: str, lines: _Lines, reader: "_Reader", width: int
) -> Record:
    """A record whose first line ends inside of a quoted cell."""
    number = lines.number
    taken: list[PhysicalLine] = []
    parts = [text]
    is_utf8 = True
    length, end = line.length, line.end
    while reader.is_open and (after := lines.next()) is not None:
        taken.append(after)
        length += after.length
        if len(taken) >= MAX_RECORD_LINES or length > MAX_RECORD_BYTES:
            break
        part, is_part_utf8 = _decode(after.data)
        is_utf8 = is_utf8 and is_part_utf8
        part = end.decode() + part
        end = after.end
        parts.append(part)
        reader.feed(part)
    if reader.is_open or reader.is_broken or _width_problem(reader.cells, width):
        lines.give_back(taken)
        return Record(number, None, text, NEVER_CLOSED)
    raw = "".join(parts)
    if not is_utf8:
        return Record(number, None, raw, NOT_UTF8)
    return Record(number, reader.cells, raw, None)


class _Reader:
    """Takes a record with quotes apart, piece by piece.

    A quote counts at the start of a cell only; elsewhere it is text.
    """

    def __init__(self) -> None:
        self.cells: list[str] = []
        self.is_open = False  # inside of a quoted cell
        self.is_broken = False
        self._parts: list[str] = []

    def feed(self, text: str) -> None:
        """Go on with the next line; all but the first bring the end before."""
        position = 0
        while True:
            if not self.is_open:
                if not text.startswith('"', position):
                    comma = text.find(",", position)
                    if comma < 0:
                        self.cells.append(text[position:])
                        return
                    self.cells.append(text[position:comma])
                    position = comma + 1
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
            if text[position] != ",":
                self.is_broken = True
                return
            position += 1


def _decode(data: bytes) -> tuple[str, bool]:
    try:
        return data.decode(), True
    except UnicodeDecodeError:
        return data.decode("utf-8", "replace"), False


def _width_problem(cells: list[str], width: int) -> str | None:
    return WRONG_NUMBER if width and len(cells) != width else None


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


def quoted(cell: str) -> str:
    """A cell as CSV: in quotes where a reader could take it for more."""
    if _NEEDS_QUOTES.search(cell):
        return '"' + cell.replace('"', '""') + '"'
    return cell
