"""What the further reports have in common: named checks, in groups, at one time.

One module per kind reads its text: `health`, `mcp_health`, `daily_run`.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import NamedTuple, Protocol, TypedDict

from ingest.masking.masks import Masks
from ingest.text.clean import MAX_HEARTBEAT_BYTES, RAW_LIMIT, decode
from ingest.text.json_text import BadJson
from ingest.text.times import date_problem, parse_time, utc_text

MAX_BYTES = MAX_HEARTBEAT_BYTES
"""What is read of a report; a longer one is a reject."""

TOO_LONG = "report is too long"
NO_TIME = "no time"
NO_CHECKS = "no checks"

_TIME_IN_NAME = re.compile(r"([0-9]{8})(?:_([0-9]{6}))?(?![0-9])")


class ReportCheck(TypedDict):
    """One check as it is written: nothing is typed here.

    `status_text` is a word or a mark, `exit_code` a number as text.
    """

    check_group: str
    check_name: str
    status_text: str | None
    exit_code: str | None
    message: str | None
    duration_text: str | None


class Report(TypedDict):
    """One record of landing.reports; `raw` is its whole masked text."""

    filename: str
    report_type: str
    at: str | None
    checks: list[ReportCheck]
    raw: str
    problem: str | None


class Reading(NamedTuple):
    """What a kind's module makes of a text; `at` is UTC."""

    at: datetime | None
    checks: list[ReportCheck]
    problem: str | None = None
    keys: tuple[str, ...] = ()


def check(
    group: str,
    name: str,
    status: str | None,
    message: str | None = None,
    exit_code: str | None = None,
    duration: str | None = None,
) -> ReportCheck:
    """A check, its texts stripped; an empty message is none."""
    return {
        "check_group": group.strip(),
        "check_name": name.strip(),
        "status_text": status.strip() if status else None,
        "exit_code": exit_code,
        "message": (message or "").strip()[:RAW_LIMIT] or None,
        "duration_text": duration,
    }


def sections(
    heading: re.Pattern[str], text: str
) -> Iterator[tuple[re.Match[str], str]]:
    """Each heading, and what stands below it up to the next one."""
    found = list(heading.finditer(text))
    for number, match in enumerate(found):
        is_last = number == len(found) - 1
        end = len(text) if is_last else found[number + 1].start()
        yield match, text[match.end() : end]


class ReportKind(Protocol):
    """A kind of reports: its name, and what reads the text of one, masked.

    `read` is given the file's name, too.
    """

    @property
    def name(self) -> str: ...

    @property
    def read(self) -> Callable[[str, str], Reading] | None: ...


def read_report(
    filename: str, kind: ReportKind, data: bytes, now: datetime, masks: Masks
) -> tuple[Report, tuple[str, ...]]:
    """The landing record of a report, and its keys where it has any.

    Of a longer file the first MAX_BYTES + 1 bytes are enough.
    """
    text = decode(data)
    if len(data) <= MAX_BYTES:
        return parse_report(filename, kind, text, now, masks)
    reading = Reading(None, [], TOO_LONG)
    return as_record(filename, kind.name, masks.raw(text), reading, now), ()


def parse_report(
    filename: str, kind: ReportKind, text: str, now: datetime, masks: Masks
) -> tuple[Report, tuple[str, ...]]:
    """The same of a decoded text, which may be masked already."""
    assert kind.read is not None  # or it would be no kind of reports
    text = masked(filename, text, masks)
    reading = kind.read(filename, text)
    return as_record(filename, kind.name, text, reading, now), reading.keys


def as_record(
    filename: str, report_type: str, text: str, reading: Reading, now: datetime
) -> Report:
    """The landing record of a report whose `text` is masked already.

    A report without a time of its own has the one in its name, as UTC.
    """
    at = reading.at or time_in_name(filename)
    problem = reading.problem
    if problem is None and at is None:
        problem = NO_TIME
    if problem is None and not reading.checks:
        problem = NO_CHECKS
    checks = [] if problem else reading.checks
    if problem is None and at is not None:
        problem = date_problem(at, now)
    return {
        "filename": filename,
        "report_type": report_type,
        "at": utc_text(at) if at else None,
        "checks": checks,
        "raw": text,
        "problem": problem,
    }


def time_in_name(filename: str) -> datetime | None:
    """The time in `…YYYYMMDD_HHMMSS…` or `…YYYYMMDD…`; None if there is none."""
    found = _TIME_IN_NAME.search(filename)
    if found is None:
        return None
    day, clock = found[1], found[2] or "000000"
    return parse_time(
        f"{day[:4]}-{day[4:6]}-{day[6:]} {clock[:2]}:{clock[2:4]}:{clock[4:]}"
    )


def masked(filename: str, text: str, masks: Masks) -> str:
    """A report's text as it is landed: secrets masked, one kind of line end."""
    plain = text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text
    if filename.endswith(".json"):
        with contextlib.suppress(BadJson):
            return masks.json(plain)[0]
    return masks.text(plain)
