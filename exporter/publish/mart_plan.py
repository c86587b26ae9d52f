"""Which files of the marts are stale: not what their inputs and code would make.

A mart's file is made from published files, the rows of settings that touch it,
the machine's name and, as long as its day is not over, the present moment.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property

from exporter.contracts.marts import Mart, Reads, every_day
from exporter.contracts.settings import Row, rows_of_day
from exporter.publish.landed import (
    MARK_CHARS,
    Content,
    fingerprint_of,
    footer_of,
    why_stale,
)
from exporter.publish.ledger import PublishedFile
from exporter.publish.plan import Due
from exporter.runtime.present import Present
from ingest.store.digests import digest

# The day of a file; None that of a mart's only one.
Day = date | None
# The published files of a table by day. A file that is None is damaged, or about
# to be made, so that nothing is known of it yet.
Files = dict[Day, PublishedFile | None]
# Of each input the days that are read.
Read = dict[str, list[Day]]


@dataclass(frozen=True)
class World:
    """All that marts are made from beside their code: the files of each input by
    its name, the settings in force by seed, the machine's name."""

    files: Mapping[str, Files]
    settings: Mapping[str, list[Row]]
    machine: str
    present: Present


@dataclass(frozen=True)
class MartFile:
    """A file that a mart should have, and what it is made from.

    `content` is None where an input is about to be made anew.
    """

    day: Day
    reads: Read
    content: Content | None


def mart_days(mart: Mart, world: World) -> list[Day]:
    """The days of which a mart should have a file; [None] where it is one."""
    return _Reading(mart, world).days


def mart_files(
    mart: Mart, world: World, only: Collection[Day] | None = None
) -> Iterator[MartFile]:
    """Every file that a mart should have, in the order of days: all, or `only` some."""
    reading = _Reading(mart, world)
    for day in reading.days:
        if only is not None and day not in only:
            continue
        reads = {name: reading.days_read(name, day) for name in mart.reads}
        yield MartFile(day, reads, reading.content(day, reads))


def plan_mart(
    mart: Mart,
    world: World,
    existing: Files,
    only: Collection[Day] | None = None,
    is_forced: bool = False,
) -> Iterator[tuple[MartFile, Due]]:
    """Each file that a mart should have; the target says why it is stale, if it is,
    and only then what its footer is to hold: most files are as they should be.

    `existing` are its files that exist, None for one that is damaged.
    """
    for wanted in mart_files(mart, world, only):
        exists, file = wanted.day in existing, existing.get(wanted.day)
        reason = why_stale(mart, exists, file)
        if not reason and file and not _is_made_from(file, wanted.content):
            reason = "an input changed"
        if is_forced and not reason:
            reason = "forced"
        footer = footer_of(mart, wanted.day, wanted.content or {}) if reason else {}
        path = mart.file(wanted.day)
        yield wanted, Due(mart.name, wanted.day, path, footer, reason)


def _is_made_from(file: PublishedFile, content: Content | None) -> bool:
    return content is not None and (
        file.metadata.get("source_fingerprint") == fingerprint_of(content)
    )


@dataclass(frozen=True)
class _Reading:
    """What the files of one mart are made from."""

    mart: Mart
    world: World

    @cached_property
    def today(self) -> date:
        return self.world.present.at.date()

    @cached_property
    def days(self) -> list[Day]:
        """The days that have a file; [None] for the only one."""
        if not self.mart.is_daily:
            return [None]
        if self.mart.every_day_of is None:
            files = [self.world.files[name] for name in self.mart.reads]
            return [*sorted({d for its in files for d in its if d and d <= self.today})]
        if not self.heard:
            return []
        return [*every_day(self.heard[0], self.heard[-1])]

    @cached_property
    def heard(self) -> list[date]:
        """The days up to the present one that have rows, or are about to."""
        files = self.world.files[self.mart.every_day_of or ""]
        return sorted(
            day
            for day, file in files.items()
            if day and day <= self.today and (file is None or file.row_count)
        )

    def days_read(self, name: str, day: Day) -> list[Day]:
        """The days of an input that a day is made from, as far as they exist."""
        reads, files = self.mart.reads[name], self.world.files[name]
        if day is None:
            return self._up_to_now(reads, files)
        its_own: list[Day] = [day] if day in files else []
        last = day
        if reads.skips_silence:
            before = bisect_left(self.heard, day)
            if not before:
                return its_own
            last = self.heard[before - 1]
        if last == day and not reads.days_before:
            return its_own
        back = every_day(reads.first_day(last), last)
        found: list[Day] = [each for each in back if each in files]
        return found + its_own if last != day else found

    def _up_to_now(self, reads: Reads, files: Files) -> list[Day]:
        if None in files:
            return [None]
        first = date.min
        if reads.last_days is not None:
            first = self.today - timedelta(days=reads.last_days)
        return [*sorted(day for day in files if day and first <= day <= self.today)]

    def content(self, day: Day, reads: Read) -> Content | None:
        """What a file is made from; None if an input is about to be made."""
        content: Content = {}
        for name, days in reads.items():
            files = self.world.files[name]
            records, marks = 0, []
            for each in days:
                file = files[each]
                if file is None:
                    return None
                records += file.row_count
                marks.append(f"{each} {file.checksum}")
            content[name] = records, digest(marks)[:MARK_CHARS]
        for seed in self.mart.settings:
            rows = self.world.settings[seed]
            content[seed] = 0, _mark_of(rows_of_day(seed, rows, day) if day else rows)
        content["machine"] = 0, self.world.machine
        if day is None or day >= self.today:
            content["present"] = 0, self.world.present.mark
        return content


def _mark_of(rows: Iterable[Row]) -> str:
    cells = (f"{name}={row[name]}" for row in rows for name in sorted(row))
    return digest(cells)[:MARK_CHARS]
