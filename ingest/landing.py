"""The landing store: `landing/<source>/day=YYYY-MM-DD/<part>.{ndjson,csv}.gz`.

A part holds the records of one source and day. Its bytes follow from its
records alone: they are sorted, and the gzip header carries no name and only
the modification time of the input, where a source hangs on it.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import shutil
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from ingest import files
from ingest.ledger import Ledger, Part
from ingest.root import Root

Json = dict[str, Any]

CSV_SOURCES = ("query_rows", "query_patterns")
SOURCES = (
    "heartbeats",
    *CSV_SOURCES,
    "query_log",
    "telemetry",
    "index_advisor",
    "optimization_summary",
    "observed_columns",
)
MANIFEST = "landed_days.csv"
# Old versions of dated inputs: kept, but no longer what counts.
SUPERSEDED = "superseded"

# A cut tail or a flipped bit shows as one of these, by where it hits.
DAMAGED = (OSError, EOFError, zlib.error, ValueError)


def gzip_bytes(data: bytes, mtime: int = 0) -> bytes:
    """Compressed reproducibly: no file name, a time that the input gave."""
    buffer = io.BytesIO()
    with gzip.GzipFile("", "wb", compresslevel=6, fileobj=buffer, mtime=mtime) as out:
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


# Made once: `json.dumps` would make it again for each record.
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


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
    dropped: int = 0


class Landing:
    """Reads and writes parts; in a dry run they are kept in memory.

    `staging` is the folder in which files are made; `lost` are parts that a
    dry run leaves lying though they are damaged.
    """

    def __init__(
        self,
        root: Root,
        ledger: Ledger,
        dry_run: bool = False,
        staging: Path | None = None,
    ) -> None:
        self.root = root
        self.ledger = ledger
        self.dry_run = dry_run
        self.staging = staging or root.staging
        self.held: dict[Path, bytes] = {}
        self.lost: set[Path] = set()
        self.written: list[tuple[str, str]] = []

    def path(self, source: str, day: str, part: str) -> Path:
        return self.root.landing / source / f"day={day}" / part

    def superseded_path(self, source: str, day: str, part: str, version: str) -> Path:
        name = f"{version[:12]}.{part}"
        return self.root.landing / SUPERSEDED / source / f"day={day}" / name

    # Reading

    def exists(self, path: Path) -> bool:
        return path in self.held or (path not in self.lost and path.exists())

    def read(self, path: Path) -> bytes:
        if path in self.held:
            return gzip.decompress(self.held[path])
        return gzip.decompress(path.read_bytes())

    def modified(self, source: str, day: str, part: str) -> int:
        """The modification time of a part's input, in epoch seconds."""
        path = self.path(source, day, part)
        with self.open_raw(path) as stream:
            header = stream.read(8)
        return int.from_bytes(header[4:8], "little")

    def length(self, path: Path) -> int:
        """The length of a part's text, as gzip notes it at its end."""
        with self.open_raw(path) as stream:
            stream.seek(-4, os.SEEK_END)
            return int.from_bytes(stream.read(4), "little")

    def open_raw(self, path: Path) -> BinaryIO:
        """A part's bytes as they are stored."""
        return io.BytesIO(self.held[path]) if path in self.held else path.open("rb")

    def open(self, path: Path) -> gzip.GzipFile:
        """A part as a stream, for those that may be large."""
        if path in self.held:
            return gzip.GzipFile(fileobj=io.BytesIO(self.held[path]))
        return gzip.GzipFile(path)

    def records(self, source: str, day: str, part: str) -> list[Json]:
        """The records of an NDJSON part; none if there is no such part."""
        path = self.path(source, day, part)
        if not self.exists(path):
            return []
        lines = self.read(path).decode().split("\n")
        return [json.loads(line) for line in lines if line]

    # Writing

    def write_records(
        self, source: str, day: str, part: str, records: list[Json], content: Content
    ) -> None:
        data = gzip_bytes(_ndjson(records))
        path = self.path(source, day, part)
        self._write(path, data)
        self._enter(source, day, part, data, content)

    def adopt(
        self, source: str, day: str, part: str, made: Path, content: Content
    ) -> None:
        """Take over a finished file as a part."""
        path = self.path(source, day, part)
        if self.dry_run:
            data = made.read_bytes()
            self.held[path] = data
            self._enter(source, day, part, data, content)
            return
        self._place(made, path)
        look = path.stat()
        self._put(
            source, day, part, look.st_size, look.st_mtime_ns,
            files.checksum(path), content,
        )  # fmt: skip

    def keep_superseded(
        self, source: str, day: str, part: str, version: str, made: Path
    ) -> None:
        """Keep a version that does not count; one that is there is fine."""
        place = self.superseded_path(source, day, part, version)
        if not self.dry_run and not place.exists():
            self._place(made, place)

    def keep_superseded_records(
        self, source: str, day: str, part: str, version: str, records: list[Json]
    ) -> None:
        """Keep records that do not count any more."""
        place = self.superseded_path(source, day, part, version)
        if not self.dry_run and not place.exists():
            self._write(place, gzip_bytes(_ndjson(records)))

    def keep(self, source: str, day: str, part: str, version: str) -> None:
        """Keep a part that is about to be replaced."""
        path = self.path(source, day, part)
        place = self.superseded_path(source, day, part, version)
        if self.dry_run or place.exists():
            return
        with files.write_aside(self.staging, place.name) as made:
            # A copy: at no moment is there a time without the part.
            shutil.copyfile(path, made)
            self._place(made, place)

    def remove(self, source: str, day: str, part: str) -> None:
        """Drop a part whose records all stand in others now."""
        path = self.path(source, day, part)
        if not self.dry_run:
            path.unlink(missing_ok=True)
        self.held.pop(path, None)
        self.ledger.forget_part(source, day, part)

    def _place(self, made: Path, path: Path) -> None:
        files.make_private_folder(path.parent)
        made.chmod(0o600)
        files.move_into_place(made, path)

    def _write(self, path: Path, data: bytes) -> None:
        if self.dry_run:
            self.held[path] = data
            return
        with files.write_aside(self.staging, path.name) as made:
            made.write_bytes(data)
            self._place(made, path)

    def _enter(
        self, source: str, day: str, part: str, data: bytes, content: Content
    ) -> None:
        path = self.path(source, day, part)
        mtime = 0 if self.dry_run else path.stat().st_mtime_ns
        self._put(source, day, part, len(data), mtime, zlib.crc32(data), content)

    def _put(
        self,
        source: str,
        day: str,
        part: str,
        size: int,
        mtime_ns: int,
        crc: int,
        content: Content,
    ) -> None:
        self.written.append((source, day))
        self.ledger.put_part(
            Part(
                source,
                day,
                part,
                size,
                mtime_ns,
                crc,
                content.fingerprint,
                content.parser,
                content.counts,
                content.source_bytes,
                content.dropped,
                list(content.keys),
            )
        )

    # Taking stock

    def on_disk(self) -> Iterator[tuple[str, str, str, Path]]:
        """(source, day, part, path) of every part that lies on disk."""
        for source in SOURCES:
            folder = self.root.landing / source
            if not folder.is_dir():
                continue
            for day in sorted(os.listdir(folder)):
                if not day.startswith("day="):
                    continue
                for part in sorted(os.listdir(folder / day)):
                    if part.endswith(".gz"):
                        yield source, day[4:], part, folder / day / part

    def write_manifest(self) -> None:
        """What was counted: source, day, dataset, records, fingerprint.

        dbt reads it as `landing.landed_days`. One row per source, day and
        dataset fed; a source that feeds none has one row without a dataset.
        """
        if self.dry_run:
            return
        text = manifest(self.ledger)
        path = self.root.landing / MANIFEST
        if not path.exists() or path.read_bytes() != text.encode():
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
    found: dict[tuple[str, str], tuple[list[str], list[int], dict[str, int]]] = {}
    for source, day, part, fingerprint, size, gone, counts in ledger.landed():
        marks, sums, total = found.setdefault((source, day), ([], [0, 0], {}))
        sums[0] += size
        sums[1] += gone
        # A part of several is told apart by name, not by reading order.
        marks.append(f"{part}={fingerprint}")
        for dataset, count in counts.items():
            total[dataset] = total.get(dataset, 0) + count
    return [
        LandedDay(source, day, dataset, records, mark, *sums)
        for (source, day), (marks, sums, total) in found.items()
        for mark in [digest(marks)]
        for dataset, records in (total or {"": 0}).items()
    ]
