"""What was read of a storage's files, for as long as they stay as they are."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

# Among the marts; names that begin so are read by no engine.
NAME = "_read.json"

# Size, and when content and status of a file last changed, in nanoseconds. A file
# can be given the modification time that it had, but not the other.
FileStat = list[int]


class Memory:
    """By the paths of files, relative to a storage, what their reading gave.

    `place` is the folder of the marts; without one, or where there is none yet,
    nothing is remembered, and none is made for that.
    """

    def __init__(self, storage: Path, place: Path | None = None) -> None:
        self.storage = storage
        self.place = place
        self.stats: dict[str, FileStat] = {}
        self.before = self._load()
        self.now: dict[str, tuple[FileStat, Any]] = {}

    def forget(self) -> None:
        self.before = {}

    def get(self, path: str) -> Any:
        """What was read of a file that has not changed since, else None."""
        try:
            status = os.stat(f"{self.storage}/{path}")
        except OSError:
            return None
        file_stat = [status.st_size, status.st_mtime_ns, status.st_ctime_ns]
        # Before it is read: what changes meanwhile is read again the next time.
        self.stats[path] = file_stat
        seen, found = self.before.get(path, (None, None))
        if seen != file_stat:
            return None
        self.now[path] = (file_stat, found)
        return found

    def put(self, path: str, found: Any) -> None:
        """Remember what was read of a file, as JSON can say it."""
        if path in self.stats:
            self.now[path] = (self.stats[path], found)

    def save(self) -> None:
        """Keep what was asked for, of all else nothing. That it cannot be kept
        costs time, and nothing else."""
        if self.place is None or self.now == self.before or not self.place.is_dir():
            return
        made = self.place / f".{NAME}.{os.getpid()}"
        said = {"storage": str(self.storage), "files": self.now}
        try:
            made.write_text(json.dumps(said, separators=(",", ":")), encoding="utf-8")
            os.replace(made, self.place / NAME)
        except OSError:
            made.unlink(missing_ok=True)

    def _load(self) -> dict[str, tuple[FileStat, Any]]:
        if self.place is None:
            return {}
        try:
            said = json.loads((self.place / NAME).read_text(encoding="utf-8"))
            if said["storage"] != str(self.storage):
                return {}
            return {
                path: (file_stat, found)
                for path, (file_stat, found) in said["files"].items()
            }
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            return {}
