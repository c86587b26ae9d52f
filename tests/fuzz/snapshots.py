"""All that lies below a root at one moment."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import NamedTuple

OUTPUTS = (
    "g/analytics/",
    "g/logs/",
    "g/reports/dashboard/",
    "g/reports/parquet/",
    "knowledge/optimize/parquet/",
)
# The guide that an export leaves beside the data, among inputs.
GUIDE = {
    f"knowledge/optimize/{name}"
    for name in ("PARQUET_README.md", "example_queries.sql", "parquet_schema.json")
}
STATE = "g/analytics/state/"
MARTS = "g/analytics/marts/"
OTHERS_READ = stat.S_IRGRP | stat.S_IROTH
OTHERS_PASS = stat.S_IXGRP | stat.S_IXOTH


class Entry(NamedTuple):
    """One file; `data` is None for what is no regular file, `is_open` says whether
    others than its owner can come to it and read it."""

    data: bytes | None
    mtime_ns: int
    mode: int
    is_open: bool


Snapshot = dict[str, Entry]


def take(root: Path) -> Snapshot:
    """Every file below a root, by its path relative to it."""
    found: Snapshot = {}
    closed: set[str] = set()
    for folder, folders, names in os.walk(root):
        if folder in closed:
            closed.update(os.path.join(folder, name) for name in folders)
        for name in folders:
            path = os.path.join(folder, name)
            if not os.lstat(path).st_mode & OTHERS_PASS:
                closed.add(path)
        for name in names:
            path = os.path.join(folder, name)
            found[os.path.relpath(path, root)] = _entry(path, folder not in closed)
    return found


def _entry(path: str, is_reached: bool) -> Entry:
    look = os.lstat(path)
    data = Path(path).read_bytes() if stat.S_ISREG(look.st_mode) else None
    is_open = is_reached and bool(look.st_mode & OTHERS_READ)
    return Entry(data, look.st_mtime_ns, look.st_mode, is_open)


def is_output(path: str) -> bool:
    """Whether a run may have written it."""
    return path.startswith(OUTPUTS) or path in GUIDE


def inputs(snapshot: Snapshot) -> Snapshot:
    return {path: entry for path, entry in snapshot.items() if not is_output(path)}


def published(snapshot: Snapshot) -> Snapshot:
    """The Parquet files under their final names."""
    return {
        path: entry
        for path, entry in snapshot.items()
        if is_output(path) and path.endswith(".parquet") and not path.startswith(STATE)
    }


def told_by_inputs(snapshot: Snapshot) -> dict[str, bytes]:
    """What is published of inputs, which is the same however many runs there were."""
    return {
        path: entry.data
        for path, entry in published(snapshot).items()
        if entry.data is not None
        and "/run_log/" not in path
        and not path.startswith(MARTS)
    }


def landed(snapshot: Snapshot) -> Snapshot:
    top = f"{STATE}landing/"
    return {path: entry for path, entry in snapshot.items() if path.startswith(top)}


def differing(before: Snapshot, after: Snapshot) -> list[str]:
    """Paths that are new, gone, or another file than before."""
    paths = before.keys() | after.keys()
    return sorted(path for path in paths if before.get(path) != after.get(path))
