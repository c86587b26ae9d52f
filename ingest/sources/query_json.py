"""JSON twins of pattern files, read into the rows of their CSV."""

from collections.abc import Iterator
from datetime import date, datetime
from itertools import chain
from typing import BinaryIO, NamedTuple

from ingest.masking.masks import Masks
from ingest.sources.csv_records import landing_line
from ingest.sources.json_pieces import find_list, split_list
from ingest.sources.query_csv import QueryFile, day_problem, reject_line
from ingest.text.clean import cut, decode, is_too_long
from ingest.text.json_text import MAX_NAMES, BadJson, Json, cell, dump, key_names

MAX_JSON_BYTES = 16 << 20

# Under which keys the twins have the cells of the CSV, in its order.
KEYS: dict[str, tuple[str, ...]] = {
    "pattern": ("pattern",),
    "samples": ("samples", "samples_weekly"),
    "avg_ms": ("avg_ms", "avg", "avg_weekly"),
    "p50_ms": ("p50_ms", "p50", "p50_weekly"),
    "p95_ms": ("p95_ms", "p95", "p95_weekly"),
    "p99_ms": ("p99_ms", "p99", "p99_weekly"),
    "slow_flag": ("slow_flag", "slow"),
}
LISTS = ("all_patterns", "patterns")

NO_LIST = "no list of patterns"
NOT_AN_OBJECT = "pattern is not an object"
TOO_LONG = "pattern is too long"
DOCUMENT_TOO_LONG = "document is too long"
UNREAD = f"what lies behind the first {MAX_JSON_BYTES >> 20} MB was not read"


class _Entry(NamedTuple):
    """An entry of the list, secrets masked; `value` counts without a problem."""

    value: Json
    raw: str
    problem: str | None = None


class _Twin(NamedTuple):
    """A document by its list of patterns and what else it says, as text."""

    key: str
    entries: Iterator[_Entry]
    names: list[str]
    around: str | None


def read_query_json(
    stream: BinaryIO, source_file: str, day: date | None, masks: Masks, now: datetime
) -> QueryFile:
    """Read a JSON twin; `line_number` is the 1-based place in its list.

    `day` and `source_file` as with `read_query_csv`. Of a document that is torn,
    or large, each entry is read for itself. What lies behind MAX_JSON_BYTES is
    not read: a reject says so, and so is the last entry before, if cut there.
    """
    text = decode(stream.read(MAX_JSON_BYTES))
    if is_too_long(text):
        twin = _pieces(text, DOCUMENT_TOO_LONG, masks)
    else:
        twin = _whole(text, masks)
    lines = _lines(twin, source_file, day_problem(day, now))
    if stream.read(1):
        unread = reject_line("query_patterns", source_file, UNREAD, "", 0)
        lines = chain(lines, [unread])
    return QueryFile("query_patterns", twin.names, lines)


def _whole(text: str, masks: Masks) -> _Twin:
    try:
        _, value = masks.json(text)
    except BadJson as error:
        return _pieces(text, str(error), masks)
    key = next((key for key in LISTS if _is_list_in(value, key)), None)
    if key is None:
        return _no_list(text, NO_LIST, masks, key_names(value))
    entries = (_Entry(item, dump(item)) for item in value[key])
    rest = {name: item for name, item in value.items() if name != key}
    names = key_names({**value, key: []})
    return _Twin(key, entries, names, dump(rest) if rest else None)


def _pieces(text: str, problem: str, masks: Masks) -> _Twin:
    """A document that is not read as a whole, because of a problem."""
    found = find_list(text, LISTS)
    if found is None:
        return _no_list(text, problem, masks, [])
    key, start, end = found
    pieces = split_list(text, start, end)
    first = next(pieces, None)
    if first is None:
        return _no_list(text, problem, masks, [key])
    entries = (_entry(piece, masks) for piece in chain([first], pieces))
    rest = text[:start] + text[end:]
    try:
        _, value = masks.json("{}" if is_too_long(rest) else rest)
    except BadJson:
        value = {}
    around = dump(value) if value else masks.raw(rest)
    return _Twin(key, entries, key_names(value) or [key], around)


def _no_list(text: str, problem: str, masks: Masks, names: list[str]) -> _Twin:
    """A document that is one reject."""
    return _Twin("", iter([_Entry(None, masks.raw(text), problem)]), names, None)


def _is_list_in(value: Json, key: str) -> bool:
    return isinstance(value, dict) and isinstance(value.get(key), list)


def _entry(text: str, masks: Masks) -> _Entry:
    if is_too_long(text):
        return _Entry(None, masks.raw(text), TOO_LONG)
    try:
        _, value = masks.json(text)
    except BadJson as error:
        return _Entry(None, masks.raw(text), str(error))
    return _Entry(value, dump(value))


def _lines(twin: _Twin, source_file: str, wrong_day: str | None) -> Iterator[str]:
    names = dict.fromkeys(twin.names)
    around = cut(twin.around) if twin.around else None
    for number, (value, raw, problem) in enumerate(twin.entries, start=1):
        if problem is None and not isinstance(value, dict):
            problem = NOT_AN_OBJECT
        elif problem is None and is_too_long(raw):
            problem = TOO_LONG
        if problem is not None:
            yield reject_line(
                "query_patterns", source_file, problem, cut(raw), number, around
            )
        else:
            for name in key_names({twin.key: value}):
                if name not in names and len(names) < MAX_NAMES:
                    names[name] = None
                    twin.names.append(name)
            yield landing_line(
                [
                    *(_cell(value, keys) for keys in KEYS.values()),
                    around,
                    source_file,
                    str(number),
                    wrong_day,
                    cut(raw),
                ]
            )
        around = None  # once, beside the first


def _cell(pattern: Json, keys: tuple[str, ...]) -> str | None:
    """What stands under the first of some keys that says anything."""
    found = (pattern[key] for key in keys if pattern.get(key) is not None)
    return cell(next(found, None)) or None
