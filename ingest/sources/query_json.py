"""JSON twins of pattern files, read into the rows of their CSV."""

from collections.abc import Iterator
from datetime import date, datetime

from ingest.json_text import BadJson, Json, cell, dump, key_names, parse_json
from ingest.masks import Masks
from ingest.sources.csv_records import landing_line
from ingest.sources.query_csv import (
    PATTERN_CELLS,
    QueryFile,
    day_problem,
    whole_file,
)
from ingest.text import cut, is_too_long

# Under which keys the twins have the cells of the CSV.
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


def read_query_json(
    text: str, source_file: str, day: date, masks: Masks, now: datetime
) -> QueryFile:
    """Read a JSON twin; `line_number` is the 1-based place in its list.

    `day` and `source_file` as with `read_query_csv`.
    """
    try:
        value = masks.json(parse_json(text))
    except BadJson as error:
        return _unusable(str(error), text, source_file, masks)
    patterns = _patterns(value)
    if patterns is None:
        return _unusable(NO_LIST, text, source_file, masks, key_names(value))
    lines = _lines(patterns, source_file, day_problem(day, now))
    return QueryFile("query_patterns", key_names(value), lines)


def _unusable(
    problem: str,
    text: str,
    source_file: str,
    masks: Masks,
    names: list[str] | None = None,
) -> QueryFile:
    line = whole_file("query_patterns", source_file, problem, masks.raw(text))
    return QueryFile("query_patterns", names or [], iter((line,)))


def _patterns(value: Json) -> list[Json] | None:
    if isinstance(value, dict):
        for name in LISTS:
            if isinstance(value.get(name), list):
                found: list[Json] = value[name]
                return found
    return None


def _lines(
    patterns: list[Json], source_file: str, wrong_day: str | None
) -> Iterator[str]:
    known = {key for keys in KEYS.values() for key in keys}
    for number, pattern in enumerate(patterns, start=1):
        written = dump(pattern)
        raw = cut(written)
        if not isinstance(pattern, dict):
            yield whole_file("query_patterns", source_file, NOT_AN_OBJECT, raw, number)
            continue
        if is_too_long(written):
            yield whole_file("query_patterns", source_file, TOO_LONG, raw, number)
            continue
        used = {
            name: next((key for key in KEYS[name] if pattern.get(key) is not None), "")
            for name in PATTERN_CELLS
        }
        extra = {
            key: item
            for key, item in pattern.items()
            if key not in used.values() and (key not in known or item is not None)
        }
        yield landing_line(
            [
                *(cell(pattern.get(used[name])) or None for name in PATTERN_CELLS),
                dump(extra) if extra else None,
                source_file,
                str(number),
                wrong_day,
                raw,
            ]
        )
