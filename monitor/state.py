"""What the monitor remembers of its checks, and that there is one of it.

`g/analytics/state/monitor.json`, for the owner only; one that is damaged is
begun anew.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
from collections.abc import Iterator
from pathlib import Path

from monitor.watch import Watched


class AlreadyRuns(RuntimeError):
    """Another monitor of this root runs."""


def state_folder(root: Path) -> Path:
    return root / "g" / "analytics" / "state"


def read_state(root: Path) -> dict[str, Watched]:
    """How all checks were after the last heartbeat; nothing if that is not known."""
    try:
        held = json.loads((state_folder(root) / "monitor.json").read_text("utf-8"))
        return {
            str(key): Watched(
                history=str(value["history"]),
                told=str(value["told"]),
                since=str(value["since"]),
            )
            for key, value in held["checks"].items()
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def write_state(root: Path, checks: dict[str, Watched]) -> None:
    """Replace it in one step. Raises OSError."""
    path = _make_folder(root) / "monitor.json"
    made = path.with_name(".monitor.json.new")
    try:
        descriptor = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            json.dump({"checks": checks}, stream, ensure_ascii=False, indent=2)
            stream.flush()
            os.fsync(stream.fileno())
        made.replace(path)
    finally:
        with contextlib.suppress(OSError):
            made.unlink(missing_ok=True)


@contextlib.contextmanager
def alone(root: Path) -> Iterator[None]:
    """Be the only monitor of a root. Raises AlreadyRuns, and OSError.

    The kernel takes the lock back from a process that dies.
    """
    path = _make_folder(root) / "monitor.lock"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            pid = os.pread(descriptor, 20, 0).decode(errors="replace").strip()
            raise AlreadyRuns(
                f"another monitor of this root runs (process {pid or 'unknown'}): "
                "end that one first"
            ) from error
        os.ftruncate(descriptor, 0)
        # For people only: a full disk does not keep a monitor from starting.
        with contextlib.suppress(OSError):
            os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield
        os.ftruncate(descriptor, 0)
    finally:
        os.close(descriptor)


def _make_folder(root: Path) -> Path:
    folder = state_folder(root)
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder
