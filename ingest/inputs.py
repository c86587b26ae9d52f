"""Inputs: which files under the root are read, and what their names tell."""

from __future__ import annotations

import hashlib
import io
import math
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import BinaryIO, NamedTuple

from ingest.masking.masks import Masks
from ingest.registry import KINDS
from ingest.root import Root
from ingest.text.clean import clean
from ingest.text.times import FIRST_YEAR

_EPOCH = datetime(1970, 1, 1)
_SECOND = timedelta(seconds=1)
_FIRST = (datetime(FIRST_YEAR, 1, 1) - _EPOCH) // _SECOND


def epoch_seconds(mtime: float) -> int:
    """A modification time as coarse as a tar archive keeps it."""
    # An archive may claim anything.
    return int(mtime // 1) if math.isfinite(mtime) else 0


@dataclass(slots=True)
class InputFile:
    """One input, live or a bundle's member.

    `mtime` is its modification time in seconds, as it is claimed, and `read_at`
    the moment of reading, in UTC; `shown` is the name that messages use; `path`
    is relative to the root and `key` what the ledger calls it; both are None
    for a bundle's member. `place` is the path, or the member's as the bundle says
    it. `is_proven` is false for what came out of a bundle that is damaged.
    """

    name: str
    kind: str
    shown: str
    mtime: int
    read_at: datetime
    size: int
    open: Callable[[], AbstractContextManager[BinaryIO]]
    path: str | None = None
    key: str | None = None
    mtime_ns: int = 0
    is_proven: bool = True
    place: str = ""

    @property
    def folder(self) -> str | None:
        """The folder, of those in which its kind is looked for, that it lies in or
        lay in when it was bundled; None where a bundle does not say."""
        path = f"/{self.place}"
        at, folder = max(
            (path.rfind(f"/{folder}/"), folder) for folder in KINDS[self.kind].folders
        )
        return None if at < 0 else folder

    @property
    def epoch(self) -> int:
        """The modification time in seconds by which the newer of two is told.

        One in the future is taken for the moment of reading, and that has a
        minus sign: when the same is read again, it is not newer for that.
        """
        moment = (self.read_at - _EPOCH) // _SECOND
        return -moment if self.mtime > moment else max(self.mtime, 0)

    @property
    def is_timed(self) -> bool:
        """Whether its modification time can be true."""
        return self.epoch >= _FIRST

    @property
    def modified(self) -> datetime:
        """Its modification time, UTC in whole seconds; the moment of reading
        where that cannot be true."""
        if not self.is_timed:
            return self.read_at.replace(microsecond=0)
        return _EPOCH + self.epoch * _SECOND


class NotAFile(OSError):
    """A pipe, device or folder where an input should be."""


class StillWritten(Exception):
    """An input changed while it was read."""


@contextmanager
def open_regular(path: str | Path) -> Iterator[BinaryIO]:
    """Open a file to read; anything else is refused, and never waited for."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    with os.fdopen(descriptor, "rb") as stream:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise NotAFile(f"{path} is not a regular file")
        yield stream


class InputPath(NamedTuple):
    """A path relative to the root: as it is, as messages show it, what the
    ledger calls it, and its last name."""

    path: str
    shown: str
    key: str
    name: str

    def below(self, name: str) -> InputPath:
        """What lies in this folder under a name that needs no masking."""
        return InputPath(
            f"{self.path}/{name}", f"{self.shown}/{name}", f"{self.key}/{name}", name
        )


def input_path(path: str, masks: Masks) -> InputPath:
    """A path, which may be one that cannot be stored.

    A path that quotes a secret, or is no text at all, is masked, and told
    apart by a digest. The base name stays at the end.
    """
    shown = masks.text(clean(path))
    name = path.rpartition("/")[2]
    if shown == path:
        return InputPath(path, path, path, name)
    made = hashlib.sha256(os.fsencode(path)).hexdigest()[:16]
    return InputPath(path, shown, f"#{made}/{shown}", name)


@contextmanager
def open_settled(path: str | Path, file_stat: os.stat_result) -> Iterator[BinaryIO]:
    """Open a file of which only the whole says anything.

    Raises StillWritten where it is not what it was in the end.
    """
    with open_regular(path) as stream:
        yield stream
        now = os.fstat(stream.fileno())
        if (now.st_size, now.st_mtime_ns) != (file_stat.st_size, file_stat.st_mtime_ns):
            raise StillWritten(str(path))


def live_file(root: Root, place: InputPath, kind: str, now: datetime) -> InputFile:
    """A file under the root, as it looks now. Raises OSError."""
    # Asked of each of many: a Path would take longer than the system does.
    full = f"{root.path}/{place.path}"
    file_stat = os.stat(full)
    if not stat.S_ISREG(file_stat.st_mode):
        raise NotAFile(f"{place.path} is not a regular file")
    opener = (
        open_regular
        if not KINDS[kind].is_settled
        else partial(open_settled, file_stat=file_stat)
    )
    return _input_file(place, kind, file_stat, now, lambda: opener(full))


def read_file(
    root: Root, place: InputPath, kind: str, now: datetime, limit: int
) -> InputFile:
    """The same of a small file that is read at once, up to a limit in bytes.

    In half the calls to the system, for there are many.
    """
    full = f"{root.path}/{place.path}"
    descriptor = os.open(full, os.O_RDONLY | os.O_NONBLOCK)
    try:
        file_stat = os.fstat(descriptor)
        if not stat.S_ISREG(file_stat.st_mode):
            raise NotAFile(f"{place.path} is not a regular file")
        data = os.read(descriptor, min(file_stat.st_size + 1, limit))
        while 0 < len(data) < limit and len(data) != file_stat.st_size:
            more = os.read(descriptor, limit - len(data))
            if not more:
                break
            data += more
    except OSError as error:
        error.filename = error.filename or full
        raise
    finally:
        os.close(descriptor)
    return _input_file(place, kind, file_stat, now, lambda: io.BytesIO(data))


def _input_file(
    place: InputPath,
    kind: str,
    file_stat: os.stat_result,
    now: datetime,
    opened: Callable[[], AbstractContextManager[BinaryIO]],
) -> InputFile:
    return InputFile(
        name=place.name,
        kind=kind,
        shown=place.shown,
        mtime=epoch_seconds(file_stat.st_mtime),
        read_at=now,
        size=file_stat.st_size,
        open=opened,
        path=place.path,
        key=place.key,
        mtime_ns=file_stat.st_mtime_ns,
        place=place.path,
    )


def utc_now() -> datetime:
    """The present, naive and in UTC as all times here are."""
    return datetime.now(UTC).replace(tzinfo=None)
