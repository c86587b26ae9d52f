"""Landing dated files: CSV of rows or patterns, and JSON twins of the latter.

Each distinct content is kept; which one counts, versions.py decides. The
landing is written as a stream, so a file may be larger than memory.
"""

from __future__ import annotations

import contextlib
import hashlib
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from itertools import chain
from pathlib import Path
from typing import BinaryIO, cast

from ingest import files
from ingest.inputs import InputFile
from ingest.loaders.context import Context, Loader, ReadInput
from ingest.names import dated_day
from ingest.registry import CSV_SOURCES, SOURCES
from ingest.sources.query_csv import LANDING_COLUMNS, QueryFile, read_query_csv
from ingest.sources.query_json import read_query_json
from ingest.store.contents import Content
from ingest.store.kept_versions import (
    all_superseded,
    current_version,
    superseded_version,
)
from ingest.store.landing import HELD_WHOLE
from ingest.store.part_files import Origin
from ingest.store.parts import superseded_versions
from ingest.store.versions import (
    CHOSEN,
    MOMENT,
    UNPROVEN,
    Version,
    begins,
    is_newer,
    is_same,
    is_same_input,
    which_counts,
)
from ingest.text.numbers import count

CHUNK = 1 << 20


class DatedLoader(Loader):
    """Lands one dated file at a time.

    `kept_out` are the keys of live files that do not count though they are the
    newest: they hold fewer records than what counts.
    """

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.kept_out: set[str | None] = set()

    def add(self, input_file: InputFile) -> None:
        """Read one file and let it count where it should. Raises OSError."""
        context = self.context
        if input_file.size == 0:
            context.report.warnings.append(
                f"{input_file.shown}: is empty; the next run looks at it again"
            )
            return
        part = f"{input_file.name.removesuffix('.csv')}.csv.gz"
        named = dated_day(input_file.name)
        day = named or self._day_without_a_name(input_file, part)
        with self._spool() as text:
            with input_file.open() as stream:
                file = self._read(input_file, stream, named)
                content = _write(text, file, input_file)
            notes = frozenset(
                [MOMENT] * (input_file.epoch < 0)
                + [UNPROVEN] * (not input_file.is_proven)
            )
            origin = Origin(abs(input_file.epoch), notes, input_file.size)
            version = self._known_time(
                Version(
                    file.source, day.isoformat(), part, text, content,
                    origin, text.tell(),
                )
            )  # fmt: skip
            for source in CSV_SOURCES:  # a newer version may be of the other one
                context.feeds(source, [version.day])
            with current_version(context.landing, version.day, part) as current:
                counts = self._land(version, current, input_file)
        if counts:
            context.saw_columns(
                file.source, input_file.name, [day], file.names, is_whole=True
            )
        size = input_file.size
        context.say(
            ReadInput(file.source, version.records, "row", input_file.name, size)
        )
        context.report.inputs += 1

    def _day_without_a_name(self, input_file: InputFile, part: str) -> date:
        """That of the modification time; one without it stays where it is landed."""
        if not input_file.is_timed:
            for source in CSV_SOURCES:
                for landed in self.context.ledger.parts(source):
                    if landed.part == part:
                        return date.fromisoformat(landed.day)
        return input_file.modified.date()

    @contextlib.contextmanager
    def _spool(self) -> Iterator[BinaryIO]:
        """A place for a text: memory, or the disk if it is a large one."""
        staging = self.context.landing.staging
        files.make_private_folder(staging)
        with (
            files.blamed_on(staging),
            tempfile.SpooledTemporaryFile(HELD_WHOLE, dir=str(staging)) as text,
        ):
            yield cast(BinaryIO, text)

    def _read(
        self, input_file: InputFile, stream: BinaryIO, day: date | None
    ) -> QueryFile:
        context = self.context
        is_csv = input_file.name.endswith(".csv")
        read = read_query_csv if is_csv else read_query_json
        return read(stream, input_file.name, day, context.masks, context.now)

    def _known_time(self, version: Version) -> Version:
        """A content that is read again is no newer than when it was first read."""
        if MOMENT in version.origin.notes:
            landing = self.context.landing
            place = landing.superseded_path(
                version.source, version.day, version.part, version.content.fingerprint
            )
            if place.exists():
                return replace(version, origin=landing.origin(place))
        return version

    def _land(
        self, version: Version, current: Version | None, input_file: InputFile
    ) -> bool:
        """Put a version where it belongs; true if it is what counts now."""
        if current is None:
            self._put(version)
        elif is_same(version, current):
            self._see_newer(version, current)
            return True
        elif version.is_unproven > current.is_unproven:
            return False
        elif version.is_unproven < current.is_unproven:
            gone = max(current.records - version.records, 0)
            self._replace(_dropping(gone, version), current)
        elif is_same_input(version, current):
            return False
        else:
            return self._choose_among_all(version, current, input_file)
        self.context.landed(version.day, version.records)
        return True

    def _choose_among_all(
        self, version: Version, current: Version, input_file: InputFile
    ) -> bool:
        """Let count what does of all contents that are known; true if it is this."""
        landing = self.context.landing
        with all_superseded(landing, version.day, version.part) as superseded:
            for known in superseded:
                if is_same(known, version) and not is_newer(version, known):
                    version = replace(version, origin=known.origin)
            others = [v for v in superseded if not is_same(v, version)]
            best = which_counts(current, [version, *others])
            if best is version:
                if is_newer(current, version):
                    self._warn(input_file, version, current)
                self._replace(version, current)
                self.context.landed(version.day, version.records)
                return True
            if best is not current:
                self._keep(version)
                self._replace(best, current)
                self.context.landed(version.day, 0)
                return False
        return self._supersede(version, current, input_file)

    def _supersede(
        self, version: Version, current: Version, input_file: InputFile
    ) -> bool:
        """Keep a version that does not count; true if it will by --force."""
        if not is_newer(version, current):
            if not begins(version, current):
                self._keep(version)
            return False
        self._keep(version)
        if self.context.forces(version.dataset, version.day):
            return True
        self._warn(input_file, current, version)
        self.kept_out.add(input_file.key)
        return False

    def _keep(self, version: Version) -> None:
        self.context.landing.keep_superseded(
            version.source, version.day, version.part, version.content.fingerprint,
            version.text, version.origin,
        )  # fmt: skip

    def _see_newer(self, version: Version, current: Version) -> None:
        """Let a content be as new as the newest reading of it, and as proven."""
        origin = current.origin
        if version.is_unproven != current.is_unproven:
            if current.is_unproven:
                self._put(replace(current, text=version.text, origin=version.origin))
            return
        is_known = MOMENT not in version.origin.notes | origin.notes
        if is_known and version.origin.modified > origin.modified:
            newer = origin._replace(modified=version.origin.modified)
            self._put(replace(current, text=version.text, origin=newer))

    def _warn(self, input_file: InputFile, kept: Version, newest: Version) -> None:
        if not self.context.forces(newest.dataset, newest.day):
            said = (
                f"{input_file.shown}: what holds {count(kept.records, 'record')} is "
                f"kept, because the newest holds {newest.records:,}"
            )
            self.context.report.warnings.append(
                self.context.lets_newest_count(said, newest.day)
            )

    def _replace(self, version: Version, current: Version) -> None:
        """Let a version count instead of the current one."""
        landing = self.context.landing
        # What is unproven is nothing, and all of a beginning stands in the other.
        if not current.is_unproven and not begins(current, version):
            self._keep(current)
        # What was chosen once leaves its mark on what follows it.
        notes = version.origin.notes | current.origin.notes & {CHOSEN}
        dropped = version.content.dropped + current.content.dropped
        self._put(
            replace(
                version,
                origin=version.origin._replace(notes=notes),
                content=replace(version.content, dropped=dropped),
            )
        )
        if current.source != version.source:
            landing.remove(current.source, current.day, current.part)

    def _put(self, version: Version) -> None:
        self.context.landing.write_text(
            version.source, version.day, version.part, version.text,
            version.content, version.origin,
        )  # fmt: skip

    def choose_newest(self) -> None:
        """Let the newest of all versions count where --force asks for it."""
        landing = self.context.landing
        newest: dict[tuple[str, str], tuple[int, str, Path]] = {}
        for source, day, part, path in superseded_versions(
            landing.root.landing, CSV_SOURCES
        ):
            if self.context.forces(SOURCES[source].dataset, day):
                found = landing.origin(path).modified, source, path
                newest[day, part] = max(newest.get((day, part), found), found)
        for (day, part), (modified, source, path) in sorted(newest.items()):
            with current_version(landing, day, part) as current:
                if current and modified > current.origin.modified:
                    self._choose(source, path, current)

    def _choose(self, source: str, path: Path, current: Version) -> None:
        landing = self.context.landing
        with superseded_version(
            landing, source, current.day, current.part, path
        ) as version:
            origin = version.origin
            origin = origin._replace(notes=origin.notes | {CHOSEN})
            version = replace(version, origin=origin)
            gone = max(current.records - version.records, 0)
            self._replace(_dropping(gone, version), current)
        self.context.landed(current.day, 0)


def _dropping(gone: int, version: Version) -> Version:
    """A version that holds fewer records than the one before it, rightly."""
    return replace(version, content=replace(version.content, dropped=gone))


def _write(text: BinaryIO, file: QueryFile, input_file: InputFile) -> Content:
    """Write a file's landing form; returns what the ledger says of it."""
    hashed = hashlib.sha256()
    count_rows = -1  # the first line names the columns
    for piece in _pieces(chain([",".join(LANDING_COLUMNS[file.source])], file.lines)):
        data = ("\n".join(piece) + "\n").encode()
        hashed.update(data)
        text.write(data)
        count_rows += len(piece)
    return Content(
        hashed.hexdigest()[:32],
        {SOURCES[file.source].dataset: count_rows},
        input_file.size,
    )


def _pieces(lines: Iterator[str]) -> Iterator[list[str]]:
    """Lines that take little more than CHUNK together."""
    piece: list[str] = []
    length = 0
    for line in lines:
        piece.append(line)
        length += len(line)
        if length >= CHUNK:
            yield piece
            piece, length = [], 0
    if piece:
        yield piece
