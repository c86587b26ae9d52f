"""Which files of the landing are parts: those of exactly such a name and place.

Whatever else lies there, a Finder's copy or an editor's backup, no run has put
there: it is named and never read.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from ingest.names import dated_day
from ingest.registry import CSV_SOURCES, SOURCES
from ingest.store.growing import GROWING
from ingest.store.part_files import MANIFEST, SUPERSEDED, part_name, part_number

DAY = re.compile(r"day=([0-9]{4}-[0-9]{2}-[0-9]{2})")
# What stands before the name of a part that a version was.
VERSION = re.compile(r"[0-9a-f]{12}")
CSV_PART = re.compile(
    r"(query_perf_(?:daily_[0-9]{8}|weekly_[0-9]{6}))(\.json)?\.csv\.gz"
)
# What was damaged and set aside is nobody's any more, and was named then.
SET_ASIDE = ".damaged"


@dataclass
class Found:
    """What lies in the landing.

    `parts` are (source, day, part, stat); `in_the_way` is what lies where a part
    or its folder should be and is none; `odd` is all that has no name of ours.
    Both as paths below the landing. `superseded` are (source, day, part, path) of
    the versions that do not count.
    """

    parts: list[tuple[str, str, str, os.stat_result]] = field(default_factory=list)
    in_the_way: list[str] = field(default_factory=list)
    odd: list[str] = field(default_factory=list)
    superseded: list[tuple[str, str, str, Path]] = field(default_factory=list)


def scan_landing(landing: Path, sources: Iterable[str] | None = None) -> Found:
    """Look at every name in the landing, or only below some sources.

    Raises OSError where a folder cannot be listed.
    """
    # Asked of each of many: a Path would take longer than the system does.
    top = str(landing)
    found = Found()
    if sources is None:
        sources = SOURCES
        ours = {*SOURCES, MANIFEST, SUPERSEDED}
        names = _names(top, "", found)
        found.odd += [name for name in names if name not in ours]
        if MANIFEST in names and _file_stat(f"{top}/{MANIFEST}") is None:
            found.in_the_way.append(MANIFEST)
        _scan_superseded(top, sources, found)
    for source in sources:
        for folder in _names(top, source, found):
            day = day_of_folder(folder)
            if day is None:
                found.odd.append(f"{source}/{folder}")
            else:
                _scan_day(top, source, day, found)
    return found


def superseded_versions(
    landing: Path, sources: Iterable[str]
) -> list[tuple[str, str, str, Path]]:
    """(source, day, part, path) of every version that does not count."""
    found = Found()
    _scan_superseded(str(landing), sources, found)
    return found.superseded


def superseded_on(
    landing: Path, day: str, sources: Iterable[str]
) -> list[tuple[str, str, str, Path]]:
    """The same of one day."""
    found = Found()
    for source in sources:
        _scan_versions(str(landing), source, day, found)
    return found.superseded


def scan_days(
    landing: Path, days: Iterable[str], sources: Iterable[str] = SOURCES
) -> Found:
    """Look at the names below some days only."""
    found = Found()
    days = sorted(days)
    for source in sources:
        for day in days:
            _scan_day(str(landing), source, day, found)
    return found


def _scan_superseded(top: str, sources: Iterable[str], found: Found) -> None:
    for source in _names(top, SUPERSEDED, found):
        below = f"{SUPERSEDED}/{source}"
        if source not in SOURCES:
            found.odd.append(below)
        elif source in sources:
            for folder in _names(top, below, found):
                day = day_of_folder(folder)
                if day is None:
                    found.odd.append(f"{below}/{folder}")
                else:
                    _scan_versions(top, source, day, found)


def _scan_versions(top: str, source: str, day: str, found: Found) -> None:
    folder = f"{SUPERSEDED}/{source}/day={day}"
    for name in _names(top, folder, found):
        path = f"{top}/{folder}/{name}"
        version, _, part = name.partition(".")
        if not VERSION.fullmatch(version) or not is_part(source, day, part):
            found.odd.append(f"{folder}/{name}")
        elif _file_stat(path) is None:
            found.in_the_way.append(f"{folder}/{name}")
        else:
            found.superseded.append((source, day, part, Path(path)))


def _scan_day(top: str, source: str, day: str, found: Found) -> None:
    folder = f"{source}/day={day}"
    for part in _names(top, folder, found):
        if not is_part(source, day, part):
            found.odd.append(f"{folder}/{part}")
        elif (file_stat := _file_stat(f"{top}/{folder}/{part}")) is None:
            found.in_the_way.append(f"{folder}/{part}")
        else:
            found.parts.append((source, day, part, file_stat))


def day_of_folder(name: str) -> str | None:
    """The day of a folder such as `day=2025-10-28`; None for any other."""
    match = DAY.fullmatch(name)
    if match is None:
        return None
    try:
        date.fromisoformat(match[1])
    except ValueError:
        return None
    return match[1]


def is_part(source: str, day: str, name: str) -> bool:
    """Whether a name is exactly that of a part of a source and day."""
    if source not in CSV_SOURCES:
        number = part_number(name) if source in GROWING else 1
        return number > 0 and name == part_name(source, number)
    match = CSV_PART.fullmatch(name)
    if match is None:
        return False
    named = dated_day(match[1] + (match[2] or ".csv"))
    return named is None or named.isoformat() == day


def _names(top: str, below: str, found: Found) -> list[str]:
    try:
        names = os.listdir(f"{top}/{below}" if below else top)
    except FileNotFoundError:  # a link may lead to a disk that is not there now
        return []
    except NotADirectoryError:
        if not below:
            raise
        found.in_the_way.append(below)
        return []
    return sorted(name for name in names if not name.endswith(SET_ASIDE))


def _file_stat(path: str) -> os.stat_result | None:
    """How a regular file looks; None for anything else."""
    try:
        file_stat = os.stat(path)
    except FileNotFoundError:  # a link that leads nowhere
        return None
    return file_stat if stat.S_ISREG(file_stat.st_mode) else None
