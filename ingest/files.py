"""Files that are either whole or not there: written aside, synced, moved."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import zlib
from collections.abc import Iterator
from pathlib import Path

CHUNK = 1 << 20


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
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_private_folder(path: Path) -> None:
    """Make a folder, and what is missing above it, for its owner only."""
    if path.is_dir():
        return
    if not path.parent.is_dir():
        make_private_folder(path.parent)
    path.mkdir(mode=0o700, exist_ok=True)


def remove_tree(path: Path) -> None:
    """Remove a folder with all it holds; one that is not there is fine."""
    shutil.rmtree(path, ignore_errors=True)


def checksum(path: Path) -> int:
    """The CRC-32 of a file's bytes, read in pieces."""
    crc = 0
    with path.open("rb") as stream:
        while chunk := stream.read(CHUNK):
            crc = zlib.crc32(chunk, crc)
    return crc


@contextlib.contextmanager
def write_aside(staging: Path, name: str) -> Iterator[Path]:
    """A path below `staging` to write to; gone afterwards unless moved away."""
    make_private_folder(staging)
    path = staging / f"{os.getpid()}-{name}"
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)


def move_into_place(made: Path, place: Path) -> None:
    """Put a finished file in its place: atomic, and durable when it returns."""
    sync(made)
    os.replace(made, place)
    sync(place.parent)


def write_text(path: Path, staging: Path, text: str, mode: int = 0o644) -> None:
    """Replace a small text file in one step."""
    with write_aside(staging, path.name) as made:
        descriptor = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(text)
        move_into_place(made, path)
