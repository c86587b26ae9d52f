"""Adopting Parquet of another program: its rows are landed, its bytes kept.

A file is renamed to `<name>.legacy` only once all of its rows are durably landed:
a run that is killed before that finds it again, and rows that are landed already
by their file, content and number. A `.legacy` is read again only where the ledger
does not know it any more, because what it fed was lost.
"""

from __future__ import annotations

import hashlib
import itertools
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from ingest import files
from ingest.inputs import open_regular
from ingest.loaders.context import Context, ReadInput
from ingest.loaders.heartbeats import LandedNames
from ingest.names import LEGACY, kept_name, name_before
from ingest.sources.legacy_parquet import ADOPTED, Row, read_row
from ingest.store.growing import share_out
from ingest.store.ledger import SeenInput
from ingest.store.legacy_rows import (
    VERSION,
    legacy_content,
    legacy_key,
    legacy_order,
)
from ingest.store.part_files import Json
from ingest.text.numbers import count

SOURCE = "legacy_parquet"
# Bytes of rows that wait to be written, and what a row takes besides its text.
MOST_PENDING = 32 << 20
PER_ROW = 1_500


class NotReadable(Exception):
    """A file turned out to be no Parquet that can be read to its end."""


@dataclass(frozen=True)
class LegacyFile:
    """A Parquet file of another program.

    `path`, relative to the root, is where it lies: in the place of the file of a
    `dataset` and `day`, or kept beside. `read` yields its rows, some at a time,
    and raises NotReadable.
    """

    path: str
    dataset: str
    day: date
    read: Callable[[], Iterator[list[Row]]]

    @property
    def name(self) -> str:
        """The base name under which it was found first."""
        return name_before(self.path.rpartition("/")[2])

    @property
    def is_kept(self) -> bool:
        """Whether it was adopted before."""
        return self.path.endswith(LEGACY)


class LegacyLoader:
    """Adopts one file at a time."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.pending: dict[str, list[Json]] = {}
        self.pending_bytes = 0
        # The days under which heartbeats are landed, from whatever source: of one
        # heartbeat all rows lie on one day.
        self.landed = LandedNames()
        for source in ("heartbeats", SOURCE):
            for day, keys in context.ledger.keys(source):
                names = [key for key in keys if not key.startswith(VERSION)]
                self.landed.add(day, names)

    def adopt_all(self, found: Iterable[LegacyFile]) -> None:
        """Adopt files, in the order of the names under which they were found."""
        for file in sorted(found, key=lambda file: (file.name, file.path)):
            try:
                self._adopt(file)
            except NotReadable:
                self.context.report.warnings.append(
                    f"{file.path}: not readable as Parquet; left as it is"
                )
            except OSError as error:
                if str(error.filename) != str(self._place(file)):
                    raise
                if not isinstance(error, FileNotFoundError):
                    self.context.report.errors.append(
                        f"{file.path}: cannot be adopted ({error.strerror}): give "
                        "this user the right to it and its folder"
                    )

    def _place(self, file: LegacyFile) -> Path:
        return self.context.landing.root.path / file.path

    def _adopt(self, file: LegacyFile) -> None:
        context, place = self.context, self._place(file)
        before = place.stat()
        version = _version(place)
        context.fed.clear()
        rows = self._read(file, version)
        context.flush_columns()
        context.landing.commit()
        after = place.stat()
        if (after.st_size, after.st_mtime_ns) != (before.st_size, before.st_mtime_ns):
            context.report.warnings.append(
                f"{file.path}: is being written; the next run reads it again"
            )
            return
        kept = file.path if file.is_kept else self._keep(file, version)
        feeds = {source: sorted(days) for source, days in context.fed.items()}
        context.fed.clear()
        seen = SeenInput(SOURCE, after.st_size, after.st_mtime_ns, None, feeds)
        context.ledger.put_input(kept, seen)
        context.landing.commit()
        if not file.is_kept:
            self._tell(file, rows, kept)
        context.say(ReadInput(SOURCE, rows, "row", place.name, after.st_size))
        context.report.inputs += 1

    def _tell(self, file: LegacyFile, rows: int, kept: str) -> None:
        done = "would be adopted" if self.context.landing.dry_run else "adopted"
        self.context.report.warnings.append(
            f"{file.path}: made by another program; {done}: {count(rows, 'row')}, the "
            f"file kept as {kept.rpartition('/')[2]}"
        )

    # Its rows

    def _read(self, file: LegacyFile, version: str) -> int:
        """Land the rows that are not landed yet; returns how many the file has."""
        context = self.context
        known: dict[str, set[int]] = {}
        number = 0
        context.feeds(SOURCE, [str(file.day)])
        for rows in file.read():
            if number == 0 and file.dataset == ADOPTED:
                names = [name.strip().lower() for name in rows[0]]
                context.saw_columns(SOURCE, file.name, [file.day], names)
            for row in rows:
                number += 1
                record = read_row(
                    row, file.dataset, file.day, context.masks, context.now
                )
                record |= {
                    "source_file": file.name,
                    "version": version,
                    "line_number": number,
                }
                self._keep_landed_day(record)
                self._keep_row(record, known)
            if self.pending_bytes > MOST_PENDING:
                self.flush()
        self.flush()
        return number

    def _keep_landed_day(self, record: Json) -> None:
        """Let a heartbeat stay on the day on which it is landed."""
        if name := legacy_key(record["filename"] or ""):
            days = {*self.landed.days(name)}
            if days and record["day"] not in days:
                record["day"] = min(days)
            elif not days:
                self.landed.add(record["day"], [name])

    def _keep_row(self, record: Json, known: dict[str, set[int]]) -> None:
        day = record["day"]
        if day not in known:
            known[day] = self._numbers(day, record)
        self.context.feeds(SOURCE, [day])
        if record["line_number"] in known[day]:
            return
        self.pending.setdefault(day, []).append(record)
        self.pending_bytes += 2 * len(record["raw"]) + PER_ROW

    def _numbers(self, day: str, record: Json) -> set[int]:
        """The rows of a file's content that are landed under a day."""
        landing = self.context.landing
        its_own = record["source_file"], record["version"]
        return {
            landed["line_number"]
            for part in landing.ledger.parts_of(SOURCE, day)
            if VERSION + record["version"] in part.keys
            for landed in landing.records(SOURCE, day, part.part)
            if (landed["source_file"], landed["version"]) == its_own
        }

    def flush(self) -> None:
        """Add what was read to the landing, day by day."""
        landing = self.context.landing
        for day, fresh in sorted(self.pending.items()):
            for part, more in share_out(landing, SOURCE, day, fresh).items():
                records = [*landing.records(SOURCE, day, part), *more]
                records.sort(key=legacy_order)
                content = legacy_content(records)
                landing.write_records(SOURCE, day, part, records, content)
            self.context.landed(day, len(fresh))
        self.pending.clear()
        self.pending_bytes = 0

    # Its bytes

    def _keep(self, file: LegacyFile, version: str) -> str:
        """Rename it, bytes untouched; returns where it lies then."""
        place = self._place(file)
        kept = _free_place(place, version)
        if not self.context.landing.dry_run:
            files.sync(place)
            os.replace(place, kept)
            files.sync(place.parent)
        return self.context.landing.root.relative(kept)


def _free_place(place: Path, version: str) -> Path:
    """A name that nothing has, or the very same content."""
    for number in itertools.count(1):
        kept = place.with_name(kept_name(place.name, number))
        if not os.path.lexists(kept) or _is_content(kept, version):
            return kept
    raise AssertionError


def _is_content(path: Path, version: str) -> bool:
    try:
        return _version(path) == version
    except OSError:
        return False


def _version(path: Path) -> str:
    """Stands for the bytes of a file. Raises OSError."""
    made = hashlib.sha256()
    with open_regular(path) as stream:
        while chunk := stream.read(files.CHUNK):
            made.update(chunk)
    return made.hexdigest()[:16]
