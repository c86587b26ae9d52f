"""Whether the project's code changed while dbt was at work on it."""

from __future__ import annotations

import os
import time
from pathlib import Path

from ingest.root import PROJECT

FOLDERS = ("models", "macros", "seeds", "ingest")

# By path, a file's modification time and size.
Looks = dict[str, tuple[int, int]]


def code_looks(project: Path = PROJECT) -> Looks:
    """How the files look that shape what is published."""
    part_stats = {}
    for top in FOLDERS:
        for folder, _, names in os.walk(project / top):
            for name in names:
                if name.endswith((".sql", ".yml", ".csv", ".py")):
                    path = os.path.join(folder, name)
                    file_stat = os.stat(path)
                    part_stats[path] = file_stat.st_mtime_ns, file_stat.st_size
    return part_stats


def changed_since(part_stats: Looks, started_s: float) -> bool:
    """Whether a file was written after a time, in epoch seconds.

    A time in the future says nothing: the clock was set.
    """
    now_s = time.time()
    return any(started_s <= mtime / 1e9 <= now_s for mtime, _ in part_stats.values())
