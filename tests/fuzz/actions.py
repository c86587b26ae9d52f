"""What others do to inputs, as data: before a command, or while it runs."""

from __future__ import annotations

import base64
import io
import os
import tarfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

# ["write", path, data, mtime], ["append", path, data, mtime, at], ["remove", path];
# what was done once is done again without a change.
Action = list[Any]


class File(NamedTuple):
    """An input: path relative to the root, bytes, modification time (epoch)."""

    path: str
    data: bytes
    mtime: int

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]


def write(file: File) -> Action:
    return ["write", file.path, base64.b64encode(file.data).decode(), file.mtime]


def append(file: File, at: int) -> Action:
    """Lines at the end of a file that is `at` bytes long."""
    return ["append", *write(file)[1:], at]


def remove(path: str) -> Action:
    return ["remove", path]


def act(root: Path, action: Action) -> None:
    """Do it; that something is gone already is no matter."""
    kind, path = action[0], root / action[1]
    if kind == "remove":
        path.unlink(missing_ok=True)
        return
    data, mtime = base64.b64decode(action[2]), action[3]
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT, 0o644), "wb") as stream:
        stream.seek(action[4] if kind == "append" else 0)
        stream.write(data)
        stream.truncate()
    os.utime(path, (mtime, mtime))


def tarred(files: Iterable[File], prefix: str = "") -> bytes:
    """A bundle of files, as the hourly job makes it."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as tar:
        for file in files:
            info = tarfile.TarInfo(prefix + file.path)
            info.size, info.mtime = len(file.data), file.mtime
            tar.addfile(info, io.BytesIO(file.data))
    return made.getvalue()
