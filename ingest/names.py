"""What base names tell of inputs: their kind, and the day they stand for."""

from __future__ import annotations

import re
from datetime import date

from ingest.registry import DATED, KINDS

BUNDLE = re.compile(r"reports_\d{8}_\d{6}\.tar\.gz", re.ASCII)

# What ends the name of another program's Parquet that is kept beside ours.
LEGACY = ".legacy"
_KEPT = re.compile(r"(.*?)(?:\.\d+)?\.legacy", re.ASCII)


def kept_name(name: str, number: int = 1) -> str:
    """The name under which a file is kept; the first, or a further one."""
    return f"{name}{LEGACY}" if number == 1 else f"{name}.{number}{LEGACY}"


def name_before(name: str) -> str:
    """The name that a file had before it was kept; any other stays."""
    match = _KEPT.fullmatch(name) if name.endswith(LEGACY) else None
    return match[1] if match else name


def kind_of(name: str) -> str | None:
    """The kind that a base name tells; None for a file that is not ours."""
    for kind in KINDS.values():
        if kind.pattern.fullmatch(name):
            return kind.name
    return None


def dated_day(name: str) -> date | None:
    """The day a dated file stands for: its date, or its ISO week's Monday."""
    match = DATED.pattern.fullmatch(name)
    if match is None:
        return None
    daily, weekly = match[1], match[2]
    try:
        if daily:
            return date(int(daily[:4]), int(daily[4:6]), int(daily[6:]))
        return date.fromisocalendar(int(weekly[:4]), int(weekly[4:]), 1)
    except ValueError:
        return None


def name_date(name: str) -> date | None:
    """A date written in any file name: YYYYMMDD or YYYY-MM-DD."""
    for match in re.finditer(r"(?<!\d)(\d{4})-?(\d{2})-?(\d{2})(?!\d)", name):
        try:
            return date(int(match[1]), int(match[2]), int(match[3]))
        except ValueError:
            continue
    return None
