"""Files that are either whole or not there: written aside, synced, moved."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import shutil
import stat
import zlib
from collections.abc import Iterator
from pathlib import Path

CHUNK = 1 << 20
# What can only go wrong with a file that is being written.
WRITE_ERRORS = (errno.ENOSPC, errno.EFBIG, errno.EDQUOT, errno.EROFS)
NO_FILE = "not a regular file: move it away"


@contextlib.contextmanager
def blamed_on(path: Path) -> Iterator[None]:
    """Name the file in errors of writing, which the system leaves open."""
    try:
        yield
    except OSError as error:
        if error.filename is None and error.errno in WRITE_ERRORS:
            error.filename = str(path)
        raise


def sync(path: Path) -> None:
    """Flush a file or folder to the disk itself, as far as the system can.

    On macOS fsync leaves the data in the drive's cache; F_FULLFSYNC does not.
    """
    descriptor = os.open(path, os.O_RDONLY)
    try:
        full = getattr(fcntl, "F_FULLFSYNC", None)
        if full is not None:
            with contextlib.suppress(OSError):
                fcntl.fcntl(descriptor, full)
                return
        with blamed_on(path):
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def refuse_what_is_no_file(path: Path) -> None:
    """Raise OSError where something else lies: to open a pipe may take for ever.

    That nothing lies there is fine.
    """
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not stat.S_ISREG(mode):
        raise OSError(errno.EINVAL, "not a regular file: move it away", str(path))


def make_folder(path: Path, mode: int) -> None:
    """Make a folder, and what is missing above it, with these rights."""
    if path.is_dir():
        return
    if not path.parent.is_dir():
        make_folder(path.parent, mode)
    path.mkdir(mode=0o700, exist_ok=True)
    if mode != 0o700:
        path.chmod(mode)


def make_private_folder(path: Path) -> None:
    """Make a folder, and what is missing above it, for its owner only."""
    make_folder(path, 0o700)


def keep_private(path: Path) -> None:
    """Take the rights of all others to a folder, and to all that lies in it."""
    for folder, _, names in os.walk(path):
        os.chmod(folder, 0o700)
        for name in names:
            file = os.path.join(folder, name)
            if not os.path.islink(file):
                os.chmod(file, 0o600)


def set_aside(path: Path, suffix: str = "damaged") -> Path:
    """Rename a damaged or strange file, bytes untouched, so that it spoils no
    pattern.

    Returns where it lies now; what was set aside before stays as it is.
    """
    place = path.with_name(f"{path.name}.{suffix}")
    number = 2
    while place.exists():
        place = path.with_name(f"{path.name}.{number}.{suffix}")
        number += 1
    os.replace(path, place)
    return place


def remove_tree(path: Path) -> None:
    """Remove a folder with all it holds; one that is not there is fine."""
    shutil.rmtree(path, ignore_errors=True)


def _open(path: str | Path) -> int:
    """A descriptor of a regular file; a pipe is refused, and never waited for."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        return descriptor
    os.close(descriptor)
    raise OSError(errno.EINVAL, NO_FILE, str(path))


def read(path: str | Path) -> bytes:
    """A regular file's bytes. Raises OSError, also for what is none."""
    with os.fdopen(_open(path), "rb") as stream:
        return stream.read()


def checksum(path: str | Path) -> int:
    """The CRC-32 of a regular file's bytes, read in pieces. Raises OSError."""
    descriptor = _open(path)
    try:
        left = os.fstat(descriptor).st_size
        crc = 0
        # Asked for what is there: a buffer for a large piece takes its time.
        while chunk := os.read(descriptor, min(left, CHUNK) + 1):
            crc = zlib.crc32(chunk, crc)
            left = max(left - len(chunk), 0)
        return crc
    finally:
        os.close(descriptor)


def is_damage(error: OSError) -> bool:
    """Whether a file cannot be read for what it is, or is no file any more.

    Else it may be whole: a right is missing, or this process has its limits.
    """
    # What finds a bad stream of gzip has no number.
    return error.errno in (None, errno.EIO, errno.ENOENT, errno.EINVAL)


def write_private(path: Path, data: bytes) -> None:
    """Write a file for its owner only; durable when it returns."""
    make_private_folder(path.parent)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(data)
    sync(path)


@contextlib.contextmanager
def write_aside(staging: Path, name: str) -> Iterator[Path]:
    """A path below `staging` to write to; gone afterwards unless moved away."""
    make_private_folder(staging)
    path = staging / f".{name}.{os.getpid()}"
    try:
        with blamed_on(path):
            yield path
    finally:
        path.unlink(missing_ok=True)


def move_into_place(made: Path, place: Path) -> None:
    """Put a finished file in its place: atomic, and durable when it returns."""
    sync(made)
    os.replace(made, place)
    sync(place.parent)


def write_text(path: Path, staging: Path, text: str, mode: int = 0o644) -> None:
    """Replace a small text file in one step; the umask may take from its mode."""
    _write(path, staging, text.encode(), mode)


def write_exactly(path: Path, data: bytes, mode: int) -> None:
    """Replace a file in one step, with these rights whatever the umask.

    It is made beside its place, hidden: in a folder that others search.
    """
    _write(path, path.parent, data, mode, is_exact=True)


def _write(
    path: Path, staging: Path, data: bytes, mode: int, is_exact: bool = False
) -> None:
    with write_aside(staging, path.name) as made:
        descriptor = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
        with os.fdopen(descriptor, "wb") as stream:
            if is_exact:
                os.fchmod(descriptor, mode)
            stream.write(data)
        move_into_place(made, path)
