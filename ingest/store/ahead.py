"""Rejects for a date too far ahead: from which day on they are checked again.

A run with the clock set back takes today for the future; and days do come.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from datetime import date, datetime
from typing import BinaryIO

from ingest.text.clean import MAX_CELL_CHARS
from ingest.text.times import MAX_AHEAD, TOO_FAR_AHEAD, date_problem, parse_time

PHRASE = TOO_FAR_AHEAD.encode()
# Of the cells of a landed row.
TIME, PROBLEM = 0, -2
# No text stands after it that is a day.
NEVER = ""


def first_day(text: BinaryIO, day: str, is_csv: bool) -> str:
    """The first day on which a reject of a part may be one no more; or NEVER.

    `text` is what the part of that day holds.
    """
    text.seek(0)
    if not any(PHRASE in line for line in text):
        return NEVER
    text.seek(0)
    if is_csv:
        rows = (row for row in read_rows(text) if row[PROBLEM] == TOO_FAR_AHEAD)
        return min((max(day, _day_of(row)) for row in rows), default=NEVER)
    records = (json.loads(line) for line in text if PHRASE in line)
    is_ahead = any(record.get("problem") == TOO_FAR_AHEAD for record in records)
    return day if is_ahead else NEVER


def last_day(now: datetime) -> str:
    """The last day that is not too far ahead."""
    try:
        return (now + MAX_AHEAD).date().isoformat()
    except OverflowError:
        return date.max.isoformat()


def rechecked_row(row: list[str], day: str, now: datetime) -> list[str]:
    """A row of a CSV part, refused for its date only if that still is ahead."""
    if row[PROBLEM] != TOO_FAR_AHEAD:
        return row
    times = (parse_time(day), parse_time(row[TIME].strip(" ")))
    if any(at is not None and date_problem(at, now) for at in times):
        return row
    return [*row[:PROBLEM], "", *row[PROBLEM + 1 :]]


def read_rows(text: BinaryIO) -> Iterator[list[str]]:
    """The rows of a CSV part, that of its columns' names included."""
    csv.field_size_limit(MAX_CELL_CHARS)
    text.seek(0)
    return csv.reader(map(bytes.decode, text))


def _day_of(row: list[str]) -> str:
    at = parse_time(row[TIME].strip(" "))
    return at.date().isoformat() if at else ""
