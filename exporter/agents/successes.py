"""When each job last succeeded, and whether one is due."""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime
from pathlib import Path

from exporter.agents.jobs import Job
from exporter.agents.schedule import last_start
from exporter.runtime.state_folder import make_state_folder
from ingest import files
from ingest.root import Root

# An export says so itself, in the one log that all of its agents share.
EXPORTED = re.compile(
    rb"^\[(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)\] \[INFO\] export:run status=ok ",
    re.MULTILINE,
)
TAIL_BYTES = 1 << 20


def record_success(root: Root, name: str) -> None:
    """Note that a job has done what it is for. Raises OSError."""
    make_state_folder(root)
    path = root.state / "jobs" / name
    files.write_private(path, f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}\n".encode())


def last_success(root: Root, job: Job) -> datetime | None:
    """When it last succeeded, with its zone; None where that is not known."""
    try:
        if job.words:
            text = files.read(root.state / "jobs" / job.name).decode().strip()
        else:
            text = _last_export(root.logs / "parquet_export.log")
        return datetime.fromisoformat(text)
    except (OSError, ValueError):
        return None


def is_due(job: Job, succeeded: datetime | None, now: datetime) -> bool:
    """Whether its last start has not come to a success; `now` on the machine's
    clock."""
    if not job.times:
        return False
    return succeeded is None or succeeded < last_start(job.times, now)


def _last_export(log: Path) -> str:
    """The time of the last line of a good run; empty without one. Raises OSError."""
    files.refuse_what_is_no_file(log)
    with log.open("rb") as stream:
        size = os.fstat(stream.fileno()).st_size
        stream.seek(max(size - TAIL_BYTES, 0))
        found = EXPORTED.findall(stream.read())
    return found[-1].decode() if found else ""
