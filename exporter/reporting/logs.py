"""`g/logs/parquet_export.log`, and the room that all our logs may take."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable
from pathlib import Path

from exporter.agents.jobs import LABELS
from exporter.reporting.markdown import one_line
from exporter.reporting.results import RunResult
from ingest import files
from ingest.inputs import utc_now
from ingest.root import Root

LOG_BYTES = 5 << 20
LOGS_KEPT = 5


def log_path(root: Root) -> Path:
    return root.logs / "parquet_export.log"


def append_log(root: Root, result: RunResult) -> None:
    """Append a line per file that was written or failed, and one for the run."""
    lines = []
    for file in result.with_status("exported"):
        ratio = "n/a" if file.reduction is None else f"{file.reduction:.1f}%"
        lines.append(
            f"[INFO] export:parquet file={os.path.basename(file.path)} "
            f"rows={file.rows} compressed_kb={round(file.parquet_bytes / 1024)} "
            f"ratio={ratio}"
        )
    lines += [
        f"[ERROR] export:parquet file={os.path.basename(file.path)} failed"
        for file in result.with_status("failed")
    ]
    lines += [f"[WARNING] {one_line(text)}" for text in result.warnings]
    lines += [f"[ERROR] {one_line(text)}" for text in result.errors]
    level = "ERROR" if result.errors else "INFO"
    lines.append(
        f"[{level}] export:run status={result.status} "
        f"exported={len(result.with_status('exported'))} "
        f"skipped={len(result.with_status('skipped'))} "
        f"failed={len(result.with_status('failed'))} "
        f"duration_s={result.duration_s:.1f}"
    )
    _append(root, lines)


def log_warning(root: Root, text: str) -> None:
    """Append one line, if that can be done."""
    with contextlib.suppress(OSError):
        _append(root, [f"[WARNING] {one_line(text)}"])


def log_crash(root: Root, trace: str) -> None:
    """Append where in the code a run broke off, if that can be done."""
    with contextlib.suppress(OSError):
        _append(root, (f"[ERROR] {line}" for line in trace.splitlines() if line))


def rotate_logs(root: Root) -> None:
    """Set aside the logs that have grown: ours, and those of both agents.

    Done here, because nobody else does it on every system. An agent that is
    running goes on writing into the file under its new name.
    """
    agents = (f"{label}.{stream}.log" for label in LABELS for stream in ("out", "err"))
    for path in (log_path(root), *(root.logs / name for name in agents)):
        if path.is_file() and path.stat().st_size >= LOG_BYTES:
            _rotate(path)


def _append(root: Root, lines: Iterable[str]) -> None:
    stamp = utc_now().strftime("%Y-%m-%dT%H:%M:%SZ")
    path = log_path(root)
    path.parent.mkdir(parents=True, exist_ok=True)
    files.refuse_what_is_no_file(path)
    with path.open("a", encoding="utf-8") as stream:
        stream.writelines(f"[{stamp}] {line}\n" for line in lines)


def _rotate(path: Path) -> None:
    for number in range(LOGS_KEPT - 1, 0, -1):
        older = path.with_name(f"{path.name}.{number}")
        if older.exists():
            os.replace(older, path.with_name(f"{path.name}.{number + 1}"))
    os.replace(path, path.with_name(f"{path.name}.1"))
