"""Whether the project's code changed while dbt was at work on it."""

from __future__ import annotations

import os
import time
from pathlib import Path

from ingest.root import PROJECT

FOLDERS = ("models", "macros", "seeds", "ingest")

# By path, a file's modification time and size.
CodeStats = dict[str, tuple[int, int]]


def code_stats(project: Path = PROJECT) -> CodeStats:
    """Time and size of each file that shapes what is published."""
    stats = {}
    for top in FOLDERS:
        for folder, _, names in os.walk(project / top):
            for name in names:
                if name.endswith((".sql", ".yml", ".csv", ".py")):
                    path = os.path.join(folder, name)
                    found = os.stat(path)
                    stats[path] = found.st_mtime_ns, found.st_size
    if (settings := project / "dbt_project.yml").exists():  # it holds vars
        found = settings.stat()
        stats[str(settings)] = found.st_mtime_ns, found.st_size
    return stats


def changed_since(stats: CodeStats, started_s: float) -> bool:
    """Whether a file was written after a time, in epoch seconds.

    A time in the future says nothing: the clock was set.
    """
    now_s = time.time()
    return any(started_s <= mtime / 1e9 <= now_s for mtime, _ in stats.values())
