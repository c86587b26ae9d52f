"""The optimizer's summary: free text in which three shapes of line are known."""

import re
from collections.abc import Iterator
from datetime import datetime
from itertools import chain
from typing import Any, BinaryIO, NamedTuple

from ingest.masking.masks import Masks
from ingest.sources.lines import (
    TOO_LONG,
    Line,
    Parsed,
    fallback_time,
    landed_time,
    read_lines,
    time_to_carry,
    written_time,
)
from ingest.text.clean import cut, is_too_long
from ingest.text.json_text import BadJson, Json, cell, dump, key_names, parse_json
from ingest.text.times import parse_time

MAX_NUMBERS = 200
"""More numbers in a line than this are no metrics; each becomes a row."""

MOST_RECORDS = 10_000
"""A summary tells of a night: lines behind so many records are not told apart."""

TOO_MANY_LINES = "summary is too long"
# So many characters of them are a record, and so many of all are landed.
BLOCK = 1 << 16
MOST_BEYOND = 32 << 20

SAID_ONCE = ("event_type", "metadata", "raw")
"""What is the same for all numbers of a line is landed with the first alone."""

KEYS = ("timestamp", "event_type", "metric_name", "metric_value", "metadata")

# Strict, so that `1,234`, `12:30` and `1_000` are not read as 1, 12 and 1.
_NUMBER = r"-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?"
_IS_NUMBER = re.compile(_NUMBER)
_TIMED = re.compile(r"\[([^\]]{1,40})\][ \t]*(.*)", re.DOTALL)
_PAIR = re.compile(
    r"""(?P<key>[^\s="']+)=(?:"(?P<double>[^"]*)"|'(?P<single>[^']*)'|(?P<bare>\S*))"""
    r"""(?=\s|$)|(?P<word>\S+)"""
)
# A unit has no digits, and does not go on with the number before it.
_METRIC = re.compile(
    r"(?P<name>[^:\[\]{}]{1,200}):[ \t]+"
    rf"(?P<value>{_NUMBER})(?![0-9.,:_+-])[ \t]*(?P<unit>[^0-9]{{0,40}})"
)
_VALUES = ("double", "single", "bare")
_BULLET = re.compile(r"\A[-*•][ \t]+")


class _Line(NamedTuple):
    shape: str
    rows: list[dict[str, Any]]
    raw: str
    time: Json = None
    keys: tuple[str, ...] = ()
    problem: str | None = None


def read_summary(
    stream: BinaryIO, name: str, modified: datetime, now: datetime, masks: Masks
) -> Iterator[tuple[Parsed, datetime]]:
    """What each line of a summary says, and the time of what says none.

    Lines behind MOST_RECORDS records are rejects, many in one.
    """
    lines = read_lines(stream)
    last_at = None
    records = 0
    for line in lines:
        fallback = fallback_time(name, last_at, modified, now)
        if records >= MOST_RECORDS:
            for number, text in _blocks(chain([line], lines)):
                row = _row(None, None, None, None)
                block = _Line("note", [row], masks.text(text), problem=TOO_MANY_LINES)
                yield _parsed(block, number, name, fallback, now), fallback
            return
        parsed = parse_line(line.text, line.number, name, fallback, now, masks)
        last_at = time_to_carry(parsed, last_at, now)
        records += len(parsed.records)
        yield parsed, fallback


def _blocks(lines: Iterator[Line]) -> Iterator[tuple[int, str]]:
    """The number of the first line of each block, and its text."""
    block: list[str] = []
    first = size = total = 0
    for line in lines:
        first = first or line.number
        block.append(line.text)
        size += len(line.text) + 1
        if size >= BLOCK:
            yield first, "\n".join(block)
            total += size
            block, first, size = [], 0, 0
            if total > MOST_BEYOND:
                return
    if block:
        yield first, "\n".join(block)


def parse_line(
    text: str,
    line_number: int,
    source_file: str,
    fallback: datetime,
    now: datetime,
    masks: Masks,
) -> Parsed:
    """The records of landing.optimization_summary that a line says.

    One per numeric value, else one; none for a blank line. What SAID_ONCE names
    is None in all but the first. A line without a time
    of its own has the time `fallback`; with a problem it has none and lands
    under the day of `fallback`.
    """
    text = text.strip()
    if not text:
        return Parsed([])
    text = masks.text(text)
    line = _json(text) or _plain(text)
    return _parsed(line, line_number, source_file, fallback, now)


def _parsed(
    line: _Line, line_number: int, source_file: str, fallback: datetime, now: datetime
) -> Parsed:
    at, problem = written_time(line.time, "timestamp", now)
    problem = line.problem or problem
    records = [
        {
            "at": landed_time(at, problem, fallback),
            "shape": line.shape,
            **row,
            "source_file": source_file,
            "line_number": line_number,
            "problem": problem,
            "raw": cut(line.raw),
        }
        for row in line.rows
    ]
    for record in records[1:]:
        record.update(dict.fromkeys(SAID_ONCE))
    return Parsed(records, at, line.keys)


def _json(text: str) -> _Line | None:
    """A JSON object that has at least one of the known keys."""
    if not text.startswith("{") or is_too_long(text):
        return None
    try:
        value = parse_json(text)
    except BadJson:
        return None
    if not isinstance(value, dict) or value.keys().isdisjoint(KEYS):
        return None
    metadata = value.get("metadata")
    row = _row(
        cell(value.get("event_type")),
        cell(value.get("metric_name")),
        cell(value.get("metric_value")),
        None if metadata is None else dump(metadata),
    )
    # What is inside of metadata is free.
    keys = tuple(key_names(dict.fromkeys(value)))
    return _Line("json", [row], text, value.get("timestamp"), keys)


def _plain(text: str) -> _Line:
    if is_too_long(text):
        row = _row(None, None, None, None)
        return _Line("note", [row], text, problem=TOO_LONG)
    timed = _TIMED.fullmatch(text)
    time = timed[1].strip() if timed else ""
    if timed and parse_time(time) is not None and (rows := _event(timed[2])):
        return _Line("event", rows, text, time)
    if rows := _metric(text):
        return _Line("metric", rows, text)
    note = _row("note", None, None, dump({"text": text}))
    return _Line("note", [note], text, time if parse_time(time) else None)


def _event(text: str) -> list[dict[str, Any]]:
    """`event_type key=value …`: a row for each number, else one; or no rows."""
    parts = list(_PAIR.finditer(text))
    pairs = [part for part in parts if part["key"] is not None]
    if not pairs or parts[0]["word"] is None:
        return []
    numbers: list[tuple[str | None, str | None]] = []
    rest: dict[str, str] = {}
    for pair in pairs:
        value = next(pair[kind] for kind in _VALUES if pair[kind] is not None)
        if is_number(value):
            numbers.append((pair["key"], value))
        else:
            rest[pair["key"]] = value
    if len(numbers) > MAX_NUMBERS:
        return []
    words = [part["word"] for part in parts[1:] if part["word"] is not None]
    if words:
        rest.setdefault("text", " ".join(words))
    metadata = dump(rest) if rest else None
    return [
        _row(parts[0]["word"], name, value, metadata)
        for name, value in numbers or [(None, None)]
    ]


def _metric(text: str) -> list[dict[str, Any]]:
    """`Metric name: 12.5 unit`: its row, or none."""
    match = _METRIC.fullmatch(_BULLET.sub("", text, count=1).replace("**", ""))
    if match is None or not is_number(match["value"]):
        return []
    name, unit = match["name"].strip(), match["unit"].strip()
    if not any(letter.isalpha() for letter in name):
        return []
    metadata = dump({"unit": unit}) if unit else None
    return [_row("metric", name, match["value"], metadata)]


def _row(
    event_type: str | None, name: str | None, value: str | None, metadata: str | None
) -> dict[str, Any]:
    return {
        "event_type": event_type,
        "metric_name": name,
        "metric_value": value,
        "metadata": metadata,
    }


def is_number(text: str) -> bool:
    """Whether text is a decimal number as written, and a DOUBLE can hold it."""
    return _IS_NUMBER.fullmatch(text) is not None and abs(float(text)) != float("inf")
