"""The landing store: `landing/<source>/day=YYYY-MM-DD/<part>.{ndjson,csv}.gz`.

A part holds records of one source and day: those of one CSV file, or those of
the source, which goes on in `<source>.2.ndjson.gz` and so on where that grows
too large (see growing.py). Its bytes follow from its records alone: they are
sorted, and the gzip header carries nothing but what is said of the input, where
a source hangs on it (see `Origin`).
"""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import io
import json
import os
import re
import shutil
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple, cast

from ingest import files
from ingest.registry import CSV_SOURCES
from ingest.root import Root
from ingest.store import ahead
from ingest.store.ledger import Ledger, Part

if TYPE_CHECKING:
    from concurrent.futures import Future, ThreadPoolExecutor

Json = dict[str, Any]


class RottenPart(Exception):
    """A part is not the one that the ledger knows: the ledger is reconciled anew."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path} has changed")
        self.path = path


# A part of the landing: its source, day and name.
LandedPart = tuple[str, str, str]
MANIFEST = "landed_days.csv"
# Old versions of dated inputs: kept, but no longer what counts.
SUPERSEDED = "superseded"

LEVEL = 6
# Parts that are compressed, written and flushed to the disk side by side.
WORKERS = 8
# Bytes of text: of one part that is held in memory, and of all that are.
HELD_WHOLE = 8 << 20
MOST_HELD = 64 << 20

# The flag in the header of a gzip, and more than our notes take.
_HAS_NAME = 8
_LONGEST_NAME = 64

# A cut tail or a flipped bit shows as one of these, by where it hits.
DAMAGED = (OSError, EOFError, zlib.error, ValueError)


class Origin(NamedTuple):
    """What a part says of the input it came from, in the header of its gzip.

    `modified` is its modification time in epoch seconds; `notes` are words
    about it, which stand where gzip keeps the name of a file.
    """

    modified: int = 0
    notes: frozenset[str] = frozenset()

    def header(self) -> tuple[str, int]:
        """The name and the time that go into the header of the gzip."""
        return " ".join(sorted(self.notes)), min(self.modified, (1 << 32) - 1)


NO_ORIGIN = Origin()


def gzip_bytes(data: bytes, origin: Origin = NO_ORIGIN) -> bytes:
    """Compressed reproducibly."""
    name, modified = origin.header()
    buffer = io.BytesIO()
    with gzip.GzipFile(name, "wb", LEVEL, buffer, modified) as out:
        out.write(data)
    return buffer.getvalue()


def digest(pieces: Iterable[str]) -> str:
    """A fingerprint of texts, none of which can run into the next."""
    made = hashlib.sha256()
    for piece in pieces:
        data = piece.encode()
        made.update(b"%d:" % len(data))
        made.update(data)
    return made.hexdigest()[:32]


def digest_of_all(records: Iterable[Iterable[str]]) -> str:
    """A fingerprint of records, whatever their order, given their texts."""
    return sum_of(map(digest, records))


def sum_of(fingerprints: Iterable[str]) -> str:
    """The fingerprint of all the records that some fingerprints stand for.

    How they were parted, and in which order they came, is no matter.
    """
    return f"{sum(int(one, 16) for one in fingerprints) % (1 << 128):032x}"


def part_name(source: str, number: int = 1) -> str:
    """The name of an NDJSON part; all but the first are numbered."""
    return f"{source}.ndjson.gz" if number == 1 else f"{source}.{number}.ndjson.gz"


def part_number(part: str) -> int:
    match = _NUMBER.search(part)
    return int(match[1]) if match else 1


_NUMBER = re.compile(r"\.([0-9]+)(?=\.ndjson\.gz$)")


def file_of_part(part: str) -> str:
    """The input that a CSV part holds."""
    return part.removesuffix(".gz").replace(".json.csv", ".json")


# Made once: `json.dumps` would make it again for each record.
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def parse_records(data: bytes) -> list[Json]:
    """The records of an NDJSON part's bytes. Raises one of DAMAGED."""
    lines = gzip.decompress(data).decode().split("\n")
    return [json.loads(line) for line in lines if line]


def is_readable(path: Path) -> bool:
    """Whether a compressed file can be read to its end, and adds up to its CRC."""
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(files.read(path))) as stream:
            while stream.read(files.CHUNK):
                pass
    except (gzip.BadGzipFile, EOFError, zlib.error):
        return False
    return True


def _ndjson(records: Iterable[Json]) -> bytes:
    return "".join([_encode(record) + "\n" for record in records]).encode()


@dataclass(frozen=True)
class Content:
    """What the ledger says of a part besides how its file looks."""

    fingerprint: str
    counts: dict[str, int]
    source_bytes: int = 0
    parser: str = ""
    keys: tuple[str, ...] = ()
    span: tuple[str, str] = ("", "")
    dropped: int = 0


@dataclass(frozen=True)
class _Held:
    """A part that is not in its place yet: `made` is where it is written aside."""

    part: Part
    made: Path
    data: Future[bytes]


class Landing:
    """Reads and writes parts.

    A part is read as the ledger knows it, or not at all: RottenPart is raised
    where its bytes are others. One that is written is compressed and made durable
    aside, while the work goes on, and put in its place by `flush`; until then,
    and in a dry run for good, it is read from memory. `staging` is the folder in
    which files are made; `masked_by` says under which masks parts are written,
    where a loader says no more.
    """

    def __init__(
        self,
        root: Root,
        ledger: Ledger,
        dry_run: bool = False,
        staging: Path | None = None,
        masked_by: str = "",
    ) -> None:
        self.root = root
        self.masked_by = masked_by
        self.ledger = ledger
        self.dry_run = dry_run
        self.staging = staging or root.staging
        self._proven: set[Path] = set()
        self._held: dict[Path, _Held] = {}
        self._held_bytes = 0
        self._number = 0
        self._workers: ThreadPoolExecutor | None = None

    def path(self, source: str, day: str, part: str) -> Path:
        return self.root.landing / source / f"day={day}" / part

    def superseded_path(self, source: str, day: str, part: str, version: str) -> Path:
        name = f"{version[:12]}.{part}"
        return self.root.landing / SUPERSEDED / source / f"day={day}" / name

    # Reading

    def origin(self, path: Path) -> Origin:
        """What a part says of its input."""
        with self.open_raw(path) as stream:
            header = stream.read(10)
            name = b""
            if header[3] & _HAS_NAME:
                name = stream.read(_LONGEST_NAME).partition(b"\0")[0]
        modified = int.from_bytes(header[4:8], "little")
        return Origin(modified, frozenset(name.decode("latin-1").split()))

    def length(self, path: Path) -> int:
        """The length of a part's text, as gzip notes it at its end."""
        with self.open_raw(path) as stream:
            stream.seek(-4, os.SEEK_END)
            return int.from_bytes(stream.read(4), "little")

    def open_raw(self, path: Path) -> BinaryIO:
        """A part's bytes as they are stored."""
        if held := self._held.get(path):
            return io.BytesIO(held.data.result())
        self._prove(path)
        return path.open("rb")

    def _prove(self, path: Path) -> None:
        """Raise RottenPart for what is not the part that the ledger knows."""
        if path in self._proven:
            return
        top, source, folder, part = path.parts[-4:]
        try:
            if top == SUPERSEDED:
                is_whole = is_readable(path)
            else:
                day = folder.removeprefix("day=")
                known = self.ledger.checksum(source, day, part)
                is_whole = files.checksum(path) == known
        except OSError as error:
            if not files.is_damage(error):
                raise
            is_whole = False
        if not is_whole:
            raise RottenPart(path)
        self._proven.add(path)

    @contextlib.contextmanager
    def open(self, path: Path) -> Iterator[BinaryIO]:
        """A part's text as a stream, for it may be large."""
        with self.open_raw(path) as raw, gzip.GzipFile(fileobj=raw) as stream:
            yield cast(BinaryIO, stream)

    def records(self, source: str, day: str, part: str) -> list[Json]:
        """The records of an NDJSON part; none if there is no such part."""
        if self.ledger.checksum(source, day, part) is None:
            return []
        with self.open_raw(self.path(source, day, part)) as raw:
            return parse_records(raw.read())

    # Writing

    def write_records(
        self, source: str, day: str, part: str, records: list[Json], content: Content
    ) -> None:
        self._hold(self._part(source, day, part, content), _ndjson(records), NO_ORIGIN)

    def write_text(
        self,
        source: str,
        day: str,
        part: str,
        text: BinaryIO,
        content: Content,
        origin: Origin,
    ) -> None:
        """Write a text, which may be larger than memory, as a part."""
        entry = self._part(source, day, part, content)
        text.seek(0)
        start = text.read(HELD_WHOLE + 1)
        if self.dry_run or len(start) <= HELD_WHOLE:
            self._hold(entry, start + text.read(), origin)
            return
        text.seek(0)
        path = self.path(source, day, part)
        self._let_go(path)
        self._write_through(path, text, origin)
        entry = self._to_recheck(entry, text)
        file_stat = path.stat()
        self.ledger.put_part(
            replace(
                entry,
                bytes=file_stat.st_size,
                mtime_ns=file_stat.st_mtime_ns,
                checksum=files.checksum(path),
            )
        )

    def keep_superseded(
        self,
        source: str,
        day: str,
        part: str,
        version: str,
        text: BinaryIO,
        origin: Origin = NO_ORIGIN,
    ) -> None:
        """Keep a version that does not count, as new as it was ever seen."""
        place = self.superseded_path(source, day, part, version)
        if self.dry_run:
            return
        if not place.exists() or self.origin(place).modified < origin.modified:
            text.seek(0)
            self._write_through(place, text, origin)

    def keep_superseded_records(
        self, source: str, day: str, part: str, version: str, records: list[Json]
    ) -> None:
        """Keep records that do not count any more."""
        self.keep_superseded(source, day, part, version, io.BytesIO(_ndjson(records)))

    def remove(self, source: str, day: str, part: str) -> None:
        """Drop a part whose records all stand in others now."""
        path = self.path(source, day, part)
        self.flush()
        if not self.dry_run:
            path.unlink(missing_ok=True)
        self._let_go(path)
        self.ledger.forget_part(source, day, part)

    def _part(self, source: str, day: str, part: str, content: Content) -> Part:
        """What the ledger says of a part, but for the look of its file."""
        return Part(
            source, day, part, 0, 0, 0, content.fingerprint,
            content.parser or self.masked_by, content.counts,
            content.source_bytes, content.dropped, content.span, list(content.keys),
        )  # fmt: skip

    def _hold(self, part: Part, data: bytes, origin: Origin) -> None:
        path = self.path(part.source, part.day, part.part)
        self._number += 1
        made = self.staging / f"{os.getpid()}-{self._number}-{path.name}"
        self._let_go(path)
        compressed = self._pool().submit(self._make, made, path, data, origin)
        if ahead.PHRASE in data:
            part = self._to_recheck(part, io.BytesIO(data))
        self._held[path] = _Held(part, made, compressed)
        self.ledger.put_part(part)
        self._held_bytes += len(data)
        if self._held_bytes > MOST_HELD:
            self.flush()

    def _to_recheck(self, part: Part, text: BinaryIO) -> Part:
        is_csv = part.source in CSV_SOURCES
        return replace(part, recheck_on=ahead.first_day(text, part.day, is_csv))

    def _let_go(self, path: Path) -> None:
        """Forget what is held for a path: something newer takes its place."""
        if held := self._held.pop(path, None):
            held.data.result()
            held.made.unlink(missing_ok=True)

    def _make(self, made: Path, path: Path, data: bytes, origin: Origin) -> bytes:
        """Compress a part and write it aside; runs beside the others."""
        compressed = gzip_bytes(data, origin)
        if not self.dry_run:
            with files.blamed_on(made):
                files.write_private(made, compressed)
            files.make_private_folder(path.parent)
        return compressed

    def _pool(self) -> ThreadPoolExecutor:
        if self._workers is None:
            # Here, because a run with nothing new does without.
            from concurrent.futures import ThreadPoolExecutor

            self._workers = ThreadPoolExecutor(WORKERS)
        return self._workers

    @contextlib.contextmanager
    def _made(self, place: Path) -> Iterator[BinaryIO]:
        """A stream to write a file with, which is put in its place at the end."""
        with files.write_aside(self.staging, place.name) as made:
            with made.open("wb") as stream:
                yield stream
            made.chmod(0o600)
            files.make_private_folder(place.parent)
            files.move_into_place(made, place)

    def _write_through(self, place: Path, text: BinaryIO, origin: Origin) -> None:
        name, modified = origin.header()
        with (
            self._made(place) as made,
            gzip.GzipFile(name, "wb", LEVEL, made, modified) as out,
        ):
            shutil.copyfileobj(text, out)

    # Into its place

    def flush(self) -> None:
        """Put what is held in its place, in the order in which it was written.

        All of it is durable before the first file is in its place, and all is
        in its place when this returns. A disk flushes many files at once much
        sooner than one after the other.
        """
        self._held_bytes = 0
        if self.dry_run or not self._held:
            return
        for entry in self._held.values():
            entry.data.result()
        folders = set()
        for path, entry in self._held.items():
            os.replace(entry.made, path)
            self._enter(path, entry)
            folders |= {path.parent, path.parent.parent}
        self._held.clear()
        for _ in self._pool().map(files.sync, folders):
            pass

    def _enter(self, path: Path, entry: _Held) -> None:
        data = entry.data.result()
        self.ledger.put_part(
            replace(
                entry.part,
                bytes=len(data),
                mtime_ns=path.stat().st_mtime_ns,
                checksum=zlib.crc32(data),
            )
        )

    def commit(self) -> None:
        """Make all that was written so far durable, then let the ledger say so.

        A dry run has nothing on disk to say it of.
        """
        self.flush()
        if not self.dry_run:
            self.ledger.commit()

    def close(self) -> None:
        """Let go of the workers; what is held and not flushed is forgotten."""
        if self._workers is not None:
            self._workers.shutdown(cancel_futures=True)
        for entry in self._held.values():
            entry.made.unlink(missing_ok=True)

    def write_manifest(self) -> None:
        """What was counted: source, day, dataset, records, fingerprint.

        dbt reads it as `landing.landed_days`. One row per source, day and
        dataset fed; a source that feeds none has one row without a dataset.
        """
        if self.dry_run:
            return
        text = manifest(self.ledger)
        path = self.root.landing / MANIFEST
        try:
            is_current = files.checksum(path) == zlib.crc32(text.encode())
        except FileNotFoundError:
            is_current = False
        if not is_current:
            files.make_private_folder(self.root.landing)
            files.write_text(path, self.staging, text, mode=0o600)


def manifest(ledger: Ledger) -> str:
    """The text of `landed_days.csv`."""
    lines = ["source,day,dataset,landed_records,source_fingerprint"]
    lines += [
        ",".join((row.source, row.day, row.dataset, str(row.records), row.mark))
        for row in landed_days(ledger)
    ]
    return "\n".join(lines) + "\n"


@dataclass(frozen=True, slots=True)
class LandedDay:
    """What one source landed for one dataset on one day.

    `mark` is the content's fingerprint; `dropped` counts records that stood
    here once and now rightly stand elsewhere.
    """

    source: str
    day: str
    dataset: str
    records: int
    mark: str
    source_bytes: int
    dropped: int


def landed_days(ledger: Ledger) -> list[LandedDay]:
    """Per source, day and dataset: records landed and their fingerprint."""
    return ledger.remember("landed days", lambda: _landed_days(ledger))


def _landed_days(ledger: Ledger) -> list[LandedDay]:
    found: dict[
        tuple[str, str], tuple[dict[str, list[str]], list[int], dict[str, int]]
    ] = {}
    for source, day, part, fingerprint, size, gone, counts in ledger.landed():
        marks, sums, total = found.setdefault((source, day), ({}, [0, 0], {}))
        sums[0] += size
        sums[1] += gone
        # Files are told apart by name; what is numbered is one.
        marks.setdefault(_NUMBER.sub("", part), []).append(fingerprint)
        for dataset, count in counts.items():
            total[dataset] = total.get(dataset, 0) + count
    return [
        LandedDay(source, day, dataset, records, mark, *sums)
        for (source, day), (marks, sums, total) in found.items()
        for mark in [digest(f"{name}={sum_of(marks[name])}" for name in sorted(marks))]
        for dataset, records in (total or {"": 0}).items()
    ]
