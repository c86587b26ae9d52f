"""Notices on their way: one small file each until every service has taken it.

`g/analytics/state/outbox/notice_*.json`, for the owner only. A notice knows
the services that have taken it by their tags, never by their URLs.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

from exporter.runtime.machine import machine_to_tell
from exporter.runtime.redact import redact
from ingest import files
from ingest.root import Root

# More cannot wait: the oldest make room.
MOST_WAITING = 100


@dataclass(frozen=True)
class Notice:
    """One message. `level` is failure, warning or success; `at` in UTC.

    `attachment` is a file, relative to the root, that goes along as it is when it
    is sent; empty for none.
    """

    at: str
    level: str
    title: str
    text: str
    taken_by: list[str] = field(default_factory=list)
    attachment: str = ""


def title(root: Root, what: str) -> str:
    """The title of a notice: of which machine it is, and what it tells."""
    return redact(f"ops-atomic on {machine_to_tell(root)}: {what}")


def folder(root: Root) -> Path:
    return root.state / "outbox"


def put(root: Root, notice: Notice) -> None:
    """Keep a notice until it is taken. Raises OSError where that fails."""
    files.make_private_folder(folder(root))
    waiting = _paths(root)
    for path in waiting[: max(len(waiting) + 1 - MOST_WAITING, 0)]:
        path.unlink(missing_ok=True)
    stamp = "".join(char for char in notice.at if char.isdigit())
    taken = {path.name for path in waiting}
    number = next(n for n in range(len(taken) + 1) if _name(stamp, n) not in taken)
    _write(folder(root) / _name(stamp, number), notice)


def waiting(root: Root) -> list[tuple[Path, Notice]]:
    """The notices that wait, oldest first; a damaged file is passed over."""
    found = []
    for path in _paths(root):
        try:
            files.refuse_what_is_no_file(path)
            found.append((path, Notice(**json.loads(path.read_text("utf-8")))))
        except (OSError, ValueError, TypeError):
            continue
    return found


def flush(path: Path, notice: Notice, taken_by: set[str], services: set[str]) -> None:
    """Note who has taken a notice; it goes when all `services` have."""
    taken = taken_by | set(notice.taken_by)
    if services <= taken:
        path.unlink(missing_ok=True)
    elif taken_by - set(notice.taken_by):
        _write(path, Notice(**{**asdict(notice), "taken_by": sorted(taken)}))


@contextlib.contextmanager
def alone(root: Root) -> Iterator[bool]:
    """Whether this process may empty the outbox; False while another does."""
    path = folder(root) / "lock"
    if not path.parent.is_dir():
        yield True  # nothing has ever waited
        return
    files.refuse_what_is_no_file(path)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        yield False
    else:
        yield True
    finally:
        os.close(descriptor)


def _name(stamp: str, number: int) -> str:
    return f"notice_{stamp}_{number:03}.json"


def _paths(root: Root) -> list[Path]:
    return sorted(folder(root).glob("notice_*.json"))


def _write(path: Path, notice: Notice) -> None:
    text = json.dumps(asdict(notice), ensure_ascii=False) + "\n"
    files.write_text(path, path.parent, text, mode=0o600)
