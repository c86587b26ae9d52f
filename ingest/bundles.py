"""Bundles: rotated inputs in `reports_*.tar.gz`, read as a stream.

Nothing is ever unpacked to disk. Members are told by their base name only, so
absolute paths, `..` and links out of the bundle have nothing to act on, and
every size that a bundle claims is held against a limit.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import tarfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import IO, BinaryIO, cast

from ingest.inputs import InputFile, epoch_seconds, open_regular
from ingest.listing import what_is_not_read
from ingest.names import kind_of

# A first rotation may hold a year of heartbeats.
MAX_MEMBERS = 250_000
# Of each kind that is not read, so many are told, by so much of their path.
MOST_PASSED_OVER = 1_000
MAX_PATH = 1_000
MAX_MEMBER_BYTES = 256 << 20
MAX_BUNDLE_BYTES = 1 << 30
# What is linked to is held in memory while its links are read.
MAX_LINKED_BYTES = 64 << 20
# Long names and extended headers are read whole by tarfile.
MAX_HEADER_BYTES = 1 << 20
HEADER_TYPES = (
    tarfile.XHDTYPE,
    tarfile.XGLTYPE,
    tarfile.GNUTYPE_LONGNAME,
    tarfile.GNUTYPE_LONGLINK,
)
# How the end of a bundle that is cut, or a flipped bit in it, shows.
BROKEN = (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile)
CHUNK = 1 << 20


class BundleProblem(ValueError):
    """A bundle that cannot be read to its end, and why."""


class _Limited(io.RawIOBase):
    """A stream that refuses to give more bytes than a bundle may hold.

    `tail` is the last block that it gave.
    """

    def __init__(self, stream: IO[bytes]) -> None:
        self.stream = stream
        self.left = MAX_BUNDLE_BYTES
        self.tail = b""

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        data = self.stream.read(size)
        self.left -= len(data)
        if self.left < 0:
            raise BundleProblem(f"holds more than {MAX_BUNDLE_BYTES >> 20} MB")
        if data:
            self.tail = (self.tail + data[-tarfile.BLOCKSIZE :])[-tarfile.BLOCKSIZE :]
        return data


class _CheckedHeader(tarfile.TarInfo):
    """Refuses headers that would be read into memory whole, sizes that tarfile
    would skip block by block, long after the end of the bundle, and what is no
    header, which tarfile would take for the end."""

    @classmethod
    def frombuf(
        cls, buf: bytes | bytearray, encoding: str, errors: str
    ) -> _CheckedHeader:
        if 0 < len(buf) < tarfile.BLOCKSIZE:
            raise BundleProblem("is damaged or not finished (it ends in a header)")
        try:
            header = super().frombuf(buf, encoding, errors)
        except tarfile.HeaderError as error:
            if any(buf):
                raise BundleProblem(f"is damaged ({error})") from error
            raise  # zeros, or nothing: the end
        if header.type in HEADER_TYPES and header.size > MAX_HEADER_BYTES:
            raise BundleProblem("has an absurdly long header")
        _refuse_absurd(header)
        return header


def _refuse_absurd(header: tarfile.TarInfo) -> None:
    if not 0 <= header.size <= MAX_BUNDLE_BYTES:
        raise BundleProblem(
            f"{os.path.basename(header.name)!a} is larger than "
            f"{MAX_BUNDLE_BYTES >> 20} MB"
        )


def why_unproven(path: Path) -> str | None:
    """What is wrong with a bundle as a whole: it was cut, or its checksum fails.

    None where every byte is what was written. Raises OSError.
    """
    try:
        with _unzipped(path) as stream:
            while stream.read(CHUNK):
                pass
    except BundleProblem as problem:
        return str(problem)
    return None


def read_bundle(
    path: Path,
    shown: str,
    clock: Callable[[], datetime],
    is_proven: bool = True,
    passed_over: dict[str, list[str]] | None = None,
) -> Iterator[InputFile]:
    """The inputs in a bundle, each to be read before the next is asked for.

    The paths of what looks like one and is not read go into `passed_over`, by
    what they are, up to MOST_PASSED_OVER of each.

    Raises BundleProblem where the bundle ends or breaks a limit, and so does
    reading a member; what came before stands. What is no file that can be read
    is passed over, and told at the end.
    """
    others = {} if passed_over is None else passed_over
    reading = _Reading(shown, clock, is_proven, others)
    with _members(path) as members:
        for index, member in enumerate(members):
            yield from reading.member(index, member)
    if reading.links:
        # Once more, now that it is known what is linked to.
        with _members(path) as members:
            for index, member in enumerate(members):
                if index in reading.links:
                    yield from reading.linked(index, member)
    if reading.left_out:
        more = len(reading.left_out) - 1
        and_more = f" (and {more:,} more)" if more else ""
        raise BundleProblem(f"{reading.left_out[0]}{and_more}")


@dataclass
class _Link:
    """A hard link under a name that we read."""

    path: str
    kind: str
    mtime: float

    @property
    def name(self) -> str:
        return _base_name(self.path)


def _base_name(path: str) -> str:
    return path.rpartition("/")[2]


@dataclass
class _Reading:
    """One way through a bundle. `left_out` says what could not be read."""

    shown: str
    clock: Callable[[], datetime]
    is_proven: bool
    passed_over: dict[str, list[str]]
    # At which place the content of a path stands: of many, so not by its name.
    places: dict[bytes, int] = field(default_factory=dict)
    links: dict[int, list[_Link]] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)
    # What was given beyond the bytes of the bundle: holes of sparse files, links.
    bytes_beyond: int = 0

    def member(self, index: int, member: _Member) -> Iterator[InputFile]:
        """The input that a member is, if it is one."""
        info = member.info
        path = info.name.replace("\\", "/")
        name = _base_name(path)
        kind = kind_of(name)
        if kind is None and (info.isfile() or info.islnk()):
            self._pass_over(path)
        if info.islnk():
            place = self.places.get(_mark(info.linkname))
            if place is not None:
                self.places[_mark(info.name)] = place
            if kind is not None and place is None:
                self.left_out.append(f"{name!a} links to what is not in it")
            elif kind is not None and place is not None:
                link = _Link(path, kind, float(info.mtime))
                self.links.setdefault(place, []).append(link)
            return
        if info.isfile():
            self.places[_mark(info.name)] = index
        if kind is None:
            return
        if not info.isfile():
            self.left_out.append(f"{name!a} is no file")
        elif info.size > MAX_MEMBER_BYTES or (
            info.issparse() and self._is_beyond(info.size)
        ):
            self.left_out.append(_too_large(name, MAX_MEMBER_BYTES))
        else:
            yield self._input_file(path, kind, info.mtime, info.size, member.open)

    def _pass_over(self, path: str) -> None:
        if what := what_is_not_read(path):
            alike = self.passed_over.setdefault(what, [])
            if len(alike) < MOST_PASSED_OVER:
                alike.append(path[-MAX_PATH:])

    def linked(self, index: int, member: _Member) -> Iterator[InputFile]:
        """The inputs that link to a member."""
        links, size = self.links[index], member.info.size
        if size > MAX_LINKED_BYTES or self._is_beyond(size * len(links)):
            limit = MAX_LINKED_BYTES
            self.left_out += [_too_large(link.name, limit) for link in links]
            return
        with member.open() as stream:
            data = stream.read()
        for link in links:
            opened = partial(io.BytesIO, data)
            yield self._input_file(link.path, link.kind, link.mtime, len(data), opened)

    def _is_beyond(self, size: int) -> bool:
        """Whether so many bytes more are beyond what a bundle may hold."""
        self.bytes_beyond += size
        return self.bytes_beyond > MAX_BUNDLE_BYTES

    def _input_file(
        self,
        path: str,
        kind: str,
        mtime: float,
        size: int,
        opened: Callable[[], AbstractContextManager[BinaryIO]],
    ) -> InputFile:
        name = _base_name(path)
        return InputFile(
            name=name,
            kind=kind,
            shown=f"{os.path.basename(self.shown)}:{name}",
            mtime=epoch_seconds(float(mtime)),
            read_at=self.clock(),
            size=size,
            open=opened,
            is_proven=self.is_proven,
            place=path,
        )


def _mark(name: str) -> bytes:
    return hashlib.sha256(os.fsencode(name)).digest()[:16]


def _too_large(name: str, limit: int) -> str:
    return f"{name!a} is larger than {limit >> 20} MB"


@dataclass
class _Member:
    """A member of an archive; it can be opened until the next is asked for."""

    tar: tarfile.TarFile
    info: tarfile.TarInfo

    @contextmanager
    def open(self) -> Iterator[BinaryIO]:
        """Its content. Raises BundleProblem where that breaks off."""
        try:
            stream = self.tar.extractfile(self.info)
            assert stream is not None  # files only
            with stream:
                yield cast(BinaryIO, stream)
        except BROKEN as error:
            raise BundleProblem(f"is damaged or not finished ({error})") from error


@contextmanager
def _unzipped(path: Path) -> Iterator[_Limited]:
    with _as_problem(), open_regular(path) as raw, gzip.GzipFile(fileobj=raw) as zipped:
        yield _Limited(cast(IO[bytes], zipped))


@contextmanager
def _members(path: Path) -> Iterator[Iterator[_Member]]:
    """All members of a bundle, to its end; several archives in a row are one."""
    with (
        _unzipped(path) as stream,
        tarfile.open(
            fileobj=cast(IO[bytes], stream),
            mode="r|",
            tarinfo=_CheckedHeader,
            ignore_zeros=True,
        ) as tar,
    ):
        yield _each(tar, stream)


def _each(tar: tarfile.TarFile, stream: _Limited) -> Iterator[_Member]:
    for count, info in enumerate(tar, start=1):
        # Or it keeps every header it has read.
        tar.members = []  # type: ignore[attr-defined]
        _refuse_absurd(info)  # an extended header may claim another size
        if count > MAX_MEMBERS:
            raise BundleProblem(f"has more than {MAX_MEMBERS:,} members")
        yield _Member(tar, info)
    if any(stream.tail):
        raise BundleProblem("is not finished (it has no end)")


@contextmanager
def _as_problem() -> Iterator[None]:
    """All that a damaged or hostile archive makes its readers raise."""
    try:
        yield
    except BundleProblem:
        raise
    except BROKEN as error:
        raise BundleProblem(f"is damaged or not finished ({error})") from error
    except RecursionError:  # headers of headers of headers
        raise BundleProblem("has an absurdly long header") from None
    except (ValueError, OverflowError) as error:
        raise BundleProblem(f"is damaged ({error})") from error
