"""What each run leaves behind for later: log lines and a record of its own."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

from exporter.results import RunResult
from ingest import files
from ingest.documents import utc_now
from ingest.root import Root

LOG_BYTES = 5 << 20
LOGS_KEPT = 5


def log_path(root: Root) -> Path:
    return root.logs / "parquet_export.log"


def append_log(root: Root, result: RunResult) -> None:
    """Append a line per file that was written or failed, and one for the run.

    The log is rotated here, because nobody else does it on every system.
    """
    stamp = utc_now().strftime("%Y-%m-%dT%H:%M:%SZ")
    lines = []
    for file in result.with_status("exported"):
        ratio = "n/a" if file.reduction is None else f"{file.reduction:.1f}%"
        lines.append(
            f"[{stamp}] [INFO] export:parquet file={os.path.basename(file.path)} "
            f"rows={file.rows} compressed_kb={round(file.parquet_bytes / 1024)} "
            f"ratio={ratio}"
        )
    for file in result.with_status("failed"):
        lines.append(
            f"[{stamp}] [ERROR] export:parquet file={os.path.basename(file.path)} failed"
        )
    lines += [f"[{stamp}] [WARNING] {one_line(text)}" for text in result.warnings]
    lines += [f"[{stamp}] [ERROR] {one_line(text)}" for text in result.errors]
    level = "ERROR" if result.errors else "INFO"
    lines.append(
        f"[{stamp}] [{level}] export:run status={result.status} "
        f"exported={len(result.with_status('exported'))} "
        f"skipped={len(result.with_status('skipped'))} "
        f"failed={len(result.with_status('failed'))} "
        f"duration_s={result.duration_s:.1f}"
    )
    path = log_path(root)
    path.parent.mkdir(parents=True, exist_ok=True)
    _rotate(path)
    with path.open("a", encoding="utf-8") as stream:
        stream.write("\n".join(lines) + "\n")


def one_line(text: str) -> str:
    """A text in which nothing can begin a line of its own."""
    return " ".join(text.split())


def _rotate(path: Path) -> None:
    if not path.exists() or path.stat().st_size < LOG_BYTES:
        return
    for number in range(LOGS_KEPT - 1, 0, -1):
        older = path.with_name(f"{path.name}.{number}")
        if older.exists():
            os.replace(older, path.with_name(f"{path.name}.{number + 1}"))
    os.replace(path, path.with_name(f"{path.name}.1"))


def runs_folder(root: Root) -> Path:
    return root.state / "runs"


def append_run(root: Root, result: RunResult) -> None:
    """Keep one record of a run, one JSON line in a file per UTC month."""
    folder = runs_folder(root)
    files.make_private_folder(folder)
    statuses = Counter(file.status for file in result.files)
    record = {
        "started_at": result.started.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "command": result.command,
        "status": result.status,
        "stopped": result.stopped or None,
        "duration_s": round(result.duration_s, 3),
        "landed_records": result.landed_records,
        "exported_files": statuses["exported"],
        "skipped_files": statuses["skipped"],
        "failed_files": statuses["failed"],
        "exported_rows": sum(f.rows for f in result.with_status("exported")),
        "parquet_bytes": sum(f.parquet_bytes for f in result.with_status("exported")),
        "warnings": result.warnings,
        "errors": result.errors,
    }
    path = folder / f"runs_{result.started:%Y%m}.ndjson"
    line = json.dumps(record, ensure_ascii=False) + "\n"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        if path.stat().st_size and not _ends_whole(path):
            stream.write(b"\n")  # a run was killed in the middle of its line
        stream.write(line.encode())


def _ends_whole(path: Path) -> bool:
    with path.open("rb") as stream:
        stream.seek(-1, os.SEEK_END)
        return stream.read(1) == b"\n"


def runs_of(root: Root, day: date) -> list[dict[str, Any]]:
    """The records of the runs that began on a UTC day, oldest first."""
    return [run for run in read_runs(root, day) if run["started_at"][:10] == str(day)]


def read_runs(root: Root, month: date | datetime) -> Iterator[dict[str, Any]]:
    """The records of a month; a line that a kill has cut is passed over."""
    path = runs_folder(root) / f"runs_{month:%Y%m}.ndjson"
    if path.exists():
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
            try:
                yield json.loads(line)
            except ValueError:
                continue
