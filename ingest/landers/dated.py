"""Landing dated files: CSV of rows or patterns, and JSON twins of the latter.

Each distinct content is kept; the newest by modification time counts. The
landing is written as a stream, so a file may be larger than memory.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from itertools import islice, zip_longest
from pathlib import Path
from typing import BinaryIO

from ingest import files
from ingest.documents import Document, dated_day
from ingest.landers.context import Context, count, epoch
from ingest.landing import CSV_SOURCES, Content, Landing
from ingest.ledger import Part
from ingest.sources.query_csv import (
    LANDING_COLUMNS,
    QueryFile,
    read_query_csv,
    whole_file,
)
from ingest.sources.query_json import read_query_json
from ingest.text import MAX_CELL_CHARS, decode
from ingest.times import TOO_FAR_AHEAD

DATASETS = {"query_rows": "query_perf", "query_patterns": "query_patterns"}
BAD_NAME = "the date in the file name is impossible"
MAX_JSON_BYTES = 64 << 20
CHUNK = 1 << 20
LINES_AT_ONCE = 1000


@dataclass(frozen=True)
class _Version:
    """A content of a dated file, finished as a landing part in `made`."""

    source: str
    day: str
    part: str
    made: Path
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
        with files.write_aside(context.landing.staging, part) as made:
            with document.open() as stream:
                file = self._read(document, stream, day)
                if named is None:
                    line = whole_file(
                        file.source, document.name, BAD_NAME, ",".join(file.names)
                    )
                    file = QueryFile(file.source, file.names, iter([line]))
                content = _write(made, file, document)
            version = _Version(
                file.source, day.isoformat(), part, made, content,
                stamp(document), context.landing.length(made),
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

    def _read(self, document: Document, stream: BinaryIO, day: date) -> QueryFile:
        context = self.context
        if document.name.endswith(".csv"):
            return read_query_csv(
                stream, document.name, day, context.masks, context.now
            )
        text = decode(stream.read(MAX_JSON_BYTES))
        return read_query_json(text, document.name, day, context.masks, context.now)

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
                version.content.fingerprint, version.made,
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
        self.context.landing.adopt(
            version.source, version.day, version.part, version.made, version.content
        )

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
    return min(max(epoch(document), 0), (1 << 32) - 1)


def _write(made: Path, file: QueryFile, document: Document) -> Content:
    """Write a file's landing form; returns what the ledger says of it."""
    hashed = hashlib.sha256()
    columns = LANDING_COLUMNS[file.source]
    count_rows = 0
    with (
        made.open("wb") as raw,
        gzip.GzipFile(
            "", "wb", compresslevel=6, fileobj=raw, mtime=stamp(document)
        ) as out,
    ):
        lines = [",".join(columns)]
        while lines:
            data = ("\n".join(lines) + "\n").encode()
            hashed.update(data)
            out.write(data)
            lines = list(islice(file.lines, LINES_AT_ONCE))
            count_rows += len(lines)
    return Content(
        hashed.hexdigest()[:32], {DATASETS[file.source]: count_rows}, document.size
    )


def _continues(landing: Landing, old: Part, new: _Version) -> bool:
    """Whether a new version holds all of an old one, and then more."""
    if old.source != new.source:
        return False
    path = landing.path(old.source, old.day, old.part)
    with landing.open(path) as before, gzip.open(new.made) as after:
        return all(after.read(len(chunk)) == chunk for chunk in _chunks(before))


def _is_same_input(landing: Landing, old: Part, new: _Version) -> bool:
    """Whether two versions differ in nothing but what was too far ahead when
    they were landed: what was true when it was landed stays true."""
    if old.source != new.source:
        return False
    at = -2  # problem, raw
    csv.field_size_limit(MAX_CELL_CHARS)
    with (
        landing.open(landing.path(old.source, old.day, old.part)) as before,
        gzip.open(new.made) as after,
    ):
        nothing: list[str] = []
        pairs = zip_longest(_rows(before), _rows(after), fillvalue=nothing)
        for one, other in pairs:
            if one != other:
                if {*one[at:-1], *other[at:-1]} != {"", TOO_FAR_AHEAD}:
                    return False
                if (one[:at], one[-1:]) != (other[:at], other[-1:]):
                    return False
    return True


def _rows(stream: gzip.GzipFile) -> Iterator[list[str]]:
    return csv.reader(io.TextIOWrapper(stream, encoding="utf-8", newline=""))


def _chunks(stream: gzip.GzipFile) -> Iterator[bytes]:
    while chunk := stream.read(CHUNK):
        yield chunk
