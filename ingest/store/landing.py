"""The landing store: reads and writes the parts, and tells the ledger of them."""

from __future__ import annotations

import contextlib
import gzip
import io
import os
import shutil
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

from ingest import files
from ingest.registry import CSV_SOURCES
from ingest.root import Root
from ingest.store import ahead
from ingest.store.contents import Content
from ingest.store.ledger import Ledger, Part
from ingest.store.part_files import (
    LEVEL,
    NO_ORIGIN,
    SUPERSEDED,
    Json,
    Origin,
    gzip_bytes,
    is_readable,
    ndjson,
    parse_records,
    read_origin,
    text_length,
)

if TYPE_CHECKING:
    from concurrent.futures import Future, ThreadPoolExecutor


class RottenPart(Exception):
    """A part is not the one that the ledger knows: the ledger is reconciled anew."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path} has changed")
        self.path = path


# Parts that are compressed, written and flushed to the disk side by side.
WORKERS = 8
# Bytes of text: of one part that is held in memory, and of all that are.
HELD_WHOLE = 8 << 20
MOST_HELD = 64 << 20


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
            return read_origin(stream)

    def length(self, path: Path) -> int:
        """The length of a part's text."""
        with self.open_raw(path) as stream:
            return text_length(stream)

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
        self._hold(self._part(source, day, part, content), ndjson(records), NO_ORIGIN)

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
        self.keep_superseded(source, day, part, version, io.BytesIO(ndjson(records)))

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
