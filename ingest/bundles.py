"""Bundles: rotated inputs in `reports_*.tar.gz`, read as a stream.

Nothing is ever unpacked to disk. Members are told by their base name only, so
absolute paths, `..` and links have nothing to act on, and every size that a
bundle claims is held against a limit.
"""

from __future__ import annotations

import gzip
import io
import os
import tarfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import IO, BinaryIO, cast

from ingest.documents import Document, epoch_seconds, kind_of, open_regular

# A first rotation may hold a year of heartbeats.
MAX_MEMBERS = 250_000
MAX_MEMBER_BYTES = 256 << 20
MAX_BUNDLE_BYTES = 1 << 30
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


class BundleProblem(ValueError):
    """A bundle that cannot be read to its end, and why."""


class _Limited(io.RawIOBase):
    """A stream that refuses to give more bytes than a bundle may hold."""

    def __init__(self, stream: IO[bytes]) -> None:
        self.stream = stream
        self.left = MAX_BUNDLE_BYTES

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        data = self.stream.read(size)
        self.left -= len(data)
        if self.left < 0:
            raise BundleProblem(f"holds more than {MAX_BUNDLE_BYTES >> 20} MB")
        return data


class _CheckedHeader(tarfile.TarInfo):
    """Refuses headers that would be read into memory whole, and sizes that
    tarfile would skip block by block, long after the end of the bundle."""

    @classmethod
    def frombuf(
        cls, buf: bytes | bytearray, encoding: str, errors: str
    ) -> _CheckedHeader:
        header = super().frombuf(buf, encoding, errors)
        if header.type in HEADER_TYPES and header.size > MAX_HEADER_BYTES:
            raise BundleProblem("has an absurdly long header")
        _refuse_absurd(header)
        return header


def _refuse_absurd(header: tarfile.TarInfo) -> None:
    if header.size > MAX_BUNDLE_BYTES:
        raise BundleProblem(
            f"{os.path.basename(header.name)!a} is larger than "
            f"{MAX_BUNDLE_BYTES >> 20} MB"
        )


def read_bundle(
    path: Path, shown: str, clock: Callable[[], datetime]
) -> Iterator[Document]:
    """The inputs in a bundle, each to be read before the next is asked for.

    Raises BundleProblem where the bundle ends or breaks a limit, and so does
    reading a member; what came before stands. A member that is too large is
    passed over, and told at the end.
    """
    count = 0
    too_large: list[str] = []
    with (
        _as_problem(),
        open_regular(path) as raw,
        gzip.GzipFile(fileobj=raw) as unzipped,
        tarfile.open(
            fileobj=cast(IO[bytes], _Limited(cast(IO[bytes], unzipped))),
            mode="r|",
            tarinfo=_CheckedHeader,
        ) as tar,
    ):
        for member in tar:
            # Or it keeps every header it has read.
            tar.members = []  # type: ignore[attr-defined]
            _refuse_absurd(member)  # an extended header may claim another size
            count += 1
            if count > MAX_MEMBERS:
                raise BundleProblem(f"has more than {MAX_MEMBERS:,} members")
            name = member.name.replace("\\", "/").rpartition("/")[2]
            kind = kind_of(name)
            if kind is None or not member.isfile():
                continue
            if member.size > MAX_MEMBER_BYTES:
                too_large.append(name)
                continue
            yield _document(tar, member, name, kind, shown, clock())
    if too_large:
        raise BundleProblem(
            f"{too_large[0]!a} is larger than {MAX_MEMBER_BYTES >> 20} MB"
        )


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


def _document(
    tar: tarfile.TarFile,
    member: tarfile.TarInfo,
    name: str,
    kind: str,
    shown: str,
    now: datetime,
) -> Document:
    @contextmanager
    def open_member() -> Iterator[BinaryIO]:
        try:
            stream = tar.extractfile(member)
            assert stream is not None  # regular files only
            with stream:
                yield cast(BinaryIO, stream)
        except BROKEN as error:
            raise BundleProblem(f"is damaged or not finished ({error})") from error

    return Document(
        name=name,
        kind=kind,
        shown=f"{os.path.basename(shown)}:{name}",
        mtime=epoch_seconds(float(member.mtime)),
        read_at=now,
        size=member.size,
        open=open_member,
    )
