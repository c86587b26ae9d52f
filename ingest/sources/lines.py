"""What files of lines share: physical lines, and the time of an untimed one."""

import re
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from typing import Any, BinaryIO, NamedTuple

from ingest.masking.masks import Masks
from ingest.masking.structure import mask_line, may_go_on
from ingest.text.clean import MAX_RECORD_BYTES, cut, decode_utf8, in_utf8, is_too_long
from ingest.text.json_text import BadJson, Json, cell
from ingest.text.times import believable, date_problem, parse_time, utc_text

TOO_LONG = "line is too long"
NOT_AN_OBJECT = "not an object"
# How the problem of a line ends that says nothing its source is read for.
UNKNOWN_KIND = ": a line of a kind that is not read"

_DATE_IN = re.compile(r"(?<![0-9])([0-9]{4})-?([0-9]{2})-?([0-9]{2})(?![0-9])")
_NEWLINE = re.compile(rb"\r?\n")
_ANY_END = re.compile(rb"\r\n?|\n")
_CHUNK = 1 << 18


class PhysicalLine(NamedTuple):
    """One line of a byte stream.

    `data` has no line end and is cut just behind MAX_RECORD_BYTES; `length`
    counts all bytes that the line takes up in the stream, its end included.
    """

    data: bytes
    end: bytes
    length: int

    @property
    def is_too_long(self) -> bool:
        return len(self.data) > MAX_RECORD_BYTES


class Line(NamedTuple):
    """One line of a text file.

    `number` is 1-based; `end` is the offset behind the line. A line is complete
    once its line end is written: the last one of a live file may still grow.
    `within` is what it says of the next line, as `mask_line` has it.
    """

    number: int
    text: str
    end: int
    is_complete: bool
    within: str = ""


class Parsed(NamedTuple):
    """What one line says.

    `records` have the columns of the landing view; `time` is the time that stands
    in the line, believable or not; `keys` are the keys seen, inner ones dotted.
    """

    records: list[dict[str, Any]]
    time: datetime | None = None
    keys: tuple[str, ...] = ()


def physical_lines(
    stream: BinaryIO, *, lone_cr: bool = False
) -> Iterator[PhysicalLine]:
    r"""Lines that end in `\n` or `\r\n`, with `lone_cr` also in `\r`.

    Little more than MAX_RECORD_BYTES is held, however long a line is.
    """
    ends = _ANY_END if lone_cr else _NEWLINE
    start: list[bytes] = []  # of the line whose end has not come yet, cut
    length = 0
    torn = b""  # a \r that may belong to a \n
    while (chunk := stream.read(_CHUNK)) or torn:
        is_last = not chunk
        chunk = torn + chunk
        torn = b"\r" if chunk.endswith(b"\r") and not is_last else b""
        position, stop = 0, len(chunk) - len(torn)
        for match in ends.finditer(chunk, 0, stop):
            data = chunk[position : match.start()]
            if start:
                data = b"".join([*start, data])
                start = []
            length += match.end() - position
            yield PhysicalLine(data[: MAX_RECORD_BYTES + 1], match.group(), length)
            length, position = 0, match.end()
        if length <= MAX_RECORD_BYTES and position < stop:
            start.append(chunk[position:stop])
        length += stop - position
    if length:
        yield PhysicalLine(b"".join(start)[: MAX_RECORD_BYTES + 1], b"", length)


def without_keys(
    lines: Iterable[PhysicalLine], within: str = ""
) -> Iterator[tuple[PhysicalLine, str]]:
    """Lines without those of a private key, and what each says of the next."""
    for line in lines:
        if within or may_go_on(line.data):
            # Byte by byte, so that what is no text comes back as it is.
            text = line.data.decode("latin-1")
            masked, within = mask_line(text, within)
            if masked != text:
                line = line._replace(data=masked.encode("latin-1"))
        yield line, within


def read_lines(
    stream: BinaryIO, offset: int = 0, number: int = 1, within: str = ""
) -> Iterator[Line]:
    """The non-blank lines of a stream that stands at `offset`, line `number`.

    Blank lines count. To go on another time, start behind a complete line: at
    its `end`, with its `number` + 1 and its `within`. No line of a stream in
    UTF-16 is complete: such a one is read from its start each time.
    """
    stream, is_utf8 = (stream, True) if offset else in_utf8(stream)
    for line, after in without_keys(physical_lines(stream), within):
        offset += line.length
        text = decode_utf8(line.data)
        if text.strip():
            yield Line(number, text, offset, bool(line.end) and is_utf8, after)
        number += 1


def date_in(text: str, now: datetime) -> datetime | None:
    """Midnight of the first believable date in a text such as a file's name."""
    for match in _DATE_IN.finditer(text):
        at = parse_time("-".join(match.groups()))
        if at is not None and date_problem(at, now) is None:
            return at
    return None


def fallback_time(
    source_file: str, before: datetime | None, modified: datetime, now: datetime
) -> datetime:
    """The time of a line that has none.

    The date in the file's name, else `before`, the time of the timed line before
    it, else `modified`, the file's modification time. All in UTC.
    """
    return date_in(source_file, now) or before or believable(modified, now)


def time_to_carry(
    parsed: Parsed, before: datetime | None, now: datetime
) -> datetime | None:
    """The time that untimed lines after this one take over."""
    if parsed.time is None or date_problem(parsed.time, now):
        return before
    return parsed.time


def written_time(
    value: Json, key: str, now: datetime
) -> tuple[datetime | None, str | None]:
    """The time under a key and the problem with it; neither if none is there."""
    text = cell(value)
    if not text:
        return None, None
    at = parse_time(text)
    if at is None:
        return None, f"{key} is not a time"
    return at, date_problem(at, now)


def landed_time(
    at: datetime | None, problem: str | None, fallback: datetime
) -> str | None:
    """A line's own time as landed, else `fallback`; none beside a problem."""
    if at is not None:
        return utc_text(at)
    return None if problem else utc_text(fallback)


class JsonLine(NamedTuple):
    """A line as a JSON object, secrets masked; empty when there is a problem."""

    value: dict[str, Json]
    raw: str
    problem: str | None


def json_line(text: str, masks: Masks) -> JsonLine:
    """Read a line that should be a JSON object.

    `raw` is the line as written but for its secrets.
    """
    if is_too_long(text):
        return JsonLine({}, masks.raw(text), TOO_LONG)
    try:
        raw, value = masks.json(text)
    except BadJson as error:
        return JsonLine({}, masks.raw(text), str(error))
    if isinstance(value, dict):
        return JsonLine(value, cut(raw), None)
    return JsonLine({}, cut(raw), NOT_AN_OBJECT)


def day_of(record: dict[str, Any], fallback: datetime) -> date:
    """The day a record lands under: its own time's, else that of `fallback`."""
    at = record["at"]
    return date.fromisoformat(at[:10]) if at else fallback.date()
