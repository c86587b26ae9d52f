"""Landing dated files: CSV of rows or patterns, and JSON twins of the latter.

Each distinct content is kept; the newest by modification time counts. The
landing is written as a stream, so a file may be larger than memory.
"""

from __future__ import annotations

import contextlib
import csv
import hashlib
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from itertools import chain, zip_longest
from typing import BinaryIO, cast

from ingest import files
from ingest.documents import Document, dated_day
from ingest.landers.context import Context, count
from ingest.landing import CSV_SOURCES, HELD_WHOLE, Content, Landing
from ingest.ledger import Part
from ingest.sources.query_csv import LANDING_COLUMNS, QueryFile, read_query_csv
from ingest.sources.query_json import read_query_json
from ingest.text import MAX_CELL_CHARS
from ingest.times import TOO_FAR_AHEAD

DATASETS = {"query_rows": "query_perf", "query_patterns": "query_patterns"}
CHUNK = 1 << 20


@dataclass(frozen=True)
class _Version:
    """A content of a dated file: `text` is what its landing part will hold."""

    source: str
    day: str
    part: str
    text: BinaryIO
    content: Content
    modified: int
    length: int

    @property
    def rank(self) -> tuple[int, int, str]:
        """What counts is the newest, within a second the longest: a file that
        was half-written when first seen. A tie is broken by content."""
        return self.modified, self.length, self.content.fingerprint


class DatedLander:
    """Lands one dated file at a time."""

    def __init__(self, context: Context) -> None:
        self.context = context

    def add(self, document: Document) -> None:
        """Read one file and let its newest content count. Raises OSError."""
        context = self.context
        if document.size == 0:
            context.report.warnings.append(
                f"{document.shown}: is empty; the next run looks at it again"
            )
            return
        named = dated_day(document.name)
        day = named or document.modified.date()
        part = f"{document.name.removesuffix('.csv')}.csv.gz"
        with self._spool() as text:
            with document.open() as stream:
                file = self._read(document, stream, named)
                content = _write(text, file, document)
            version = _Version(
                file.source, day.isoformat(), part, text, content,
                stamp(document), text.tell(),
            )  # fmt: skip
            rows = content.counts[DATASETS[file.source]]
            if self._land(version):
                context.landed(version.day, rows)
            counts = self._counts(version)
        name = document.name
        if counts:
            context.saw_columns(file.source, name, [day], file.names, is_whole=True)
        context.say(f"{count(rows, 'row')} from {name}")
        context.report.inputs += 1

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
        self, document: Document, stream: BinaryIO, day: date | None
    ) -> QueryFile:
        context = self.context
        is_csv = document.name.endswith(".csv")
        read = read_query_csv if is_csv else read_query_json
        return read(stream, document.name, day, context.masks, context.now)

    def _land(self, version: _Version) -> bool:
        """Put a version where it belongs; true if it is what counts now."""
        landing = self.context.landing
        current = self._current(version)
        if current is None:
            self._adopt(version)
            return True
        part, rank = current
        if (part.source, part.fingerprint) == (
            version.source,
            version.content.fingerprint,
        ):
            if version.modified > rank[0]:
                self._adopt(version)  # seen to be newer than we knew
            return False
        if version.modified == rank[0] and _is_same_input(landing, part, version):
            return False
        if version.rank < rank:
            landing.keep_superseded(
                version.source, version.day, version.part,
                version.content.fingerprint, version.text, version.modified,
            )  # fmt: skip
            return False
        if not _continues(landing, part, version):
            landing.keep(part.source, part.day, part.part, part.fingerprint)
        self._adopt(version)
        if part.source != version.source:
            landing.remove(part.source, part.day, part.part)
        return True

    def _counts(self, version: _Version) -> bool:
        """Whether a version is what counts now."""
        current = self._current(version)
        return current is not None and (
            current[0].source, current[0].fingerprint
        ) == (version.source, version.content.fingerprint)  # fmt: skip

    def _adopt(self, version: _Version) -> None:
        self.context.landing.write_text(
            version.source, version.day, version.part, version.text,
            version.content, version.modified,
        )  # fmt: skip

    def _current(self, version: _Version) -> tuple[Part, tuple[int, int, str]] | None:
        """The version that counts now, under whichever source, and its rank."""
        landing = self.context.landing
        for source in CSV_SOURCES:
            part = landing.ledger.part(source, version.day, version.part)
            if part:
                path = landing.path(source, version.day, version.part)
                modified = landing.modified(source, version.day, version.part)
                return part, (modified, landing.length(path), part.fingerprint)
        return None


def stamp(document: Document) -> int:
    """The modification time as a gzip header can hold it."""
    return min(max(document.epoch, 0), (1 << 32) - 1)


def _write(text: BinaryIO, file: QueryFile, document: Document) -> Content:
    """Write a file's landing form; returns what the ledger says of it."""
    hashed = hashlib.sha256()
    count_rows = -1  # the first line names the columns
    for piece in _pieces(chain([",".join(LANDING_COLUMNS[file.source])], file.lines)):
        data = ("\n".join(piece) + "\n").encode()
        hashed.update(data)
        text.write(data)
        count_rows += len(piece)
    return Content(
        hashed.hexdigest()[:32], {DATASETS[file.source]: count_rows}, document.size
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


def _continues(landing: Landing, old: Part, new: _Version) -> bool:
    """Whether a new version holds all of an old one, and then more."""
    if old.source != new.source:
        return False
    new.text.seek(0)
    with landing.open(landing.path(old.source, old.day, old.part)) as before:
        return all(new.text.read(len(chunk)) == chunk for chunk in _chunks(before))


def _is_same_input(landing: Landing, old: Part, new: _Version) -> bool:
    """Whether two versions differ in nothing but what was too far ahead when
    they were landed: what was true when it was landed stays true."""
    if old.source != new.source:
        return False
    at = -2  # problem, raw
    csv.field_size_limit(MAX_CELL_CHARS)
    new.text.seek(0)
    with landing.open(landing.path(old.source, old.day, old.part)) as before:
        nothing: list[str] = []
        pairs = zip_longest(_rows(before), _rows(new.text), fillvalue=nothing)
        for one, other in pairs:
            if one != other:
                if {*one[at:-1], *other[at:-1]} != {"", TOO_FAR_AHEAD}:
                    return False
                if (one[:at], one[-1:]) != (other[:at], other[-1:]):
                    return False
    return True


def _rows(stream: BinaryIO) -> Iterator[list[str]]:
    return csv.reader(map(bytes.decode, stream))


def _chunks(stream: BinaryIO) -> Iterator[bytes]:
    while chunk := stream.read(CHUNK):
        yield chunk
