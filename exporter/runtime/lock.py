"""One run at a time: an advisory lock on a file of the state folder.

The kernel gives the lock back when its holder ends, however it ends, so a
lock never outlives its process and none has to be broken.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from pathlib import Path

from exporter.runtime.state_folder import make_state_folder
from ingest import files
from ingest.inputs import utc_now
from ingest.root import Root

# Locks of this process by path: dbt runs inside the command that holds one,
# and a second descriptor on the same file would wait for the first for ever.
_held: dict[Path, int] = {}

POLL_SECONDS = 0.1


class Locked(RuntimeError):
    """Another run holds the lock; the message says who, since when."""


def hold_lock(root: Root, command: str, wait_s: float = 0) -> None:
    """Take the lock until this process ends or gives it back.

    Waits `wait_s` seconds for another run to end, then raises Locked. Taking
    it again in the same process changes nothing.
    """
    path = root.state / "lock"
    if path in _held:
        return
    make_state_folder(root)
    files.refuse_what_is_no_file(path)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    deadline = time.monotonic() + wait_s
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except OSError:
            if time.monotonic() >= deadline:
                holder = _holder(descriptor)
                os.close(descriptor)
                raise Locked(
                    f"another run holds the lock: {holder}; wait for it to end, "
                    "or use --wait SECONDS"
                ) from None
            time.sleep(POLL_SECONDS)
    note = {
        "pid": os.getpid(),
        "command": command,
        "since": utc_now().strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    with files.blamed_on(path):
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, json.dumps(note).encode() + b"\n", 0)
    _held[path] = descriptor


def give_back_lock(root: Root) -> None:
    """Let the next run in."""
    descriptor = _held.pop(root.state / "lock", None)
    if descriptor is not None:
        os.ftruncate(descriptor, 0)
        os.close(descriptor)


def find_running(root: Root) -> str | None:
    """Who holds the lock and since when; None where nobody else does.

    Takes the lock for no run: it is tried only where somebody left a note.
    """
    path = root.state / "lock"
    try:
        if path in _held or not path.is_file() or not path.stat().st_size:
            return None
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return _holder(descriptor)
    finally:
        os.close(descriptor)
    return None


def _holder(descriptor: int) -> str:
    try:
        note = json.loads(os.pread(descriptor, 4096, 0))
        return f"{note['command']} (process {note['pid']}) since {note['since']}"
    except (ValueError, KeyError, TypeError):
        return "a run that has just begun"
