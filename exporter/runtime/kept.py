"""What is reckoned from the project's own files, kept until one of them changes.

It is unpickled, so it lies beside the code that is run, never below a root: in the
project's own environment. In another one it is reckoned each time.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from exporter.runtime.environment import ENVIRONMENT, KEPT
from ingest import files
from ingest.root import PROJECT


def fingerprint(paths: Iterable[Path], about: Iterable[str] = ()) -> bytes:
    """Stands for some files of the project, for Python, and for what else is said.

    Raises OSError.
    """
    made = hashlib.sha256()
    for part in (sys.version, *about):
        made.update(f"{part}\0".encode())
    for path in paths:
        data = path.read_bytes()
        made.update(f"{path}\0{len(data)}\0".encode() + data)
    return made.digest()


def files_below(project: Path, folders: Iterable[str], *ends: str) -> Iterator[Path]:
    """Every file in some folders, or each whose name has one of some ends."""
    for top in folders:
        for folder, below, names in os.walk(project / top):
            below.sort()
            for name in sorted(names):
                if not ends or name.endswith(ends):
                    yield Path(folder, name)


def read_kept(place: Path, key: bytes) -> bytes | None:
    """What was kept for a fingerprint; None where there is nothing, or not that."""
    if not _is_ours(place):
        return None
    try:
        data = place.read_bytes()
    except OSError:
        return None
    kept = data[len(key) * 2 :]
    return kept if data[: len(key) * 2] == key + hashlib.sha256(kept).digest() else None


def keep(place: Path, key: bytes, data: bytes) -> bool:
    """Keep something for later runs; whether that could be done."""
    if not _is_ours(place):
        return False
    with contextlib.suppress(OSError):  # it may not be ours to write
        files.make_folder(place.parent, 0o755)
        head = key + hashlib.sha256(data).digest()
        files.write_exactly(place, head + data, 0o644)
        return True
    return False


def _is_ours(place: Path) -> bool:
    """Whether it lies in the project's own environment, or where a test wants it."""
    return place.parent != KEPT or ENVIRONMENT.parent.resolve() == PROJECT
