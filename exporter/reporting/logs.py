"""`g/logs/parquet_export.log`, and the room that all our logs may take."""

from __future__ import annotations

import contextlib
import logging
import os
import time
from collections.abc import Iterable
from logging import ERROR, INFO, WARNING
from logging.handlers import RotatingFileHandler
from pathlib import Path

from exporter.agents.jobs import LABELS
from exporter.reporting.markdown import one_line
from exporter.reporting.results import RunResult
from ingest import files
from ingest.root import Root

LOG_BYTES = 5 << 20
LOGS_KEPT = 5

LINE = logging.Formatter(
    "[%(asctime)s] [%(levelname)s] %(message)s", "%Y-%m-%dT%H:%M:%SZ"
)
LINE.converter = time.gmtime


def log_path(root: Root) -> Path:
    return root.logs / "parquet_export.log"


class _Handler(RotatingFileHandler):
    """Sets a log aside that has grown. What cannot be written is told."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, "a", LOG_BYTES, LOGS_KEPT, "utf-8", delay=True)
        self.setFormatter(LINE)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: ARG002, N802
        raise


def append_log(root: Root, result: RunResult) -> None:
    """Append a line per file that was written or failed, and one for the run."""
    lines = []
    for file in result.with_status("exported"):
        ratio = "n/a" if file.reduction is None else f"{file.reduction:.1f}%"
        said = (
            f"export:parquet file={os.path.basename(file.path)} rows={file.rows} "
            f"compressed_kb={round(file.parquet_bytes / 1024)} ratio={ratio}"
        )
        lines.append((INFO, said))
    lines += [
        (ERROR, f"export:parquet file={os.path.basename(file.path)} failed")
        for file in result.with_status("failed")
    ]
    lines += [(WARNING, one_line(text)) for text in result.warnings]
    lines += [(ERROR, one_line(text)) for text in result.errors]
    said = (
        f"export:run status={result.status} "
        f"exported={len(result.with_status('exported'))} "
        f"skipped={len(result.with_status('skipped'))} "
        f"failed={len(result.with_status('failed'))} "
        f"duration_s={result.duration_s:.1f}"
    )
    lines.append((ERROR if result.errors else INFO, said))
    _append(root, lines)


def log_warning(root: Root, text: str) -> None:
    """Append one line, if that can be done."""
    with contextlib.suppress(OSError):
        _append(root, [(WARNING, one_line(text))])


def log_crash(root: Root, trace: str) -> None:
    """Append where in the code a run broke off, if that can be done."""
    with contextlib.suppress(OSError):
        _append(root, ((ERROR, line) for line in trace.splitlines() if line))


def rotate_logs(root: Root) -> None:
    """Set aside the logs of both agents that have grown.

    Done here, because nobody else does it on every system. An agent that is
    running goes on writing into the file under its new name.
    """
    for name in (
        f"{label}.{stream}.log" for label in LABELS for stream in ("out", "err")
    ):
        path = root.logs / name
        if path.is_file() and path.stat().st_size >= LOG_BYTES:
            _Handler(path).doRollover()


def _append(root: Root, lines: Iterable[tuple[int, str]]) -> None:
    path = log_path(root)
    path.parent.mkdir(parents=True, exist_ok=True)
    files.refuse_what_is_no_file(path)
    log = logging.Logger("export")  # of its own: others' logs are none of it
    log.addHandler(handler := _Handler(path))
    with files.blamed_on(path), contextlib.closing(handler):
        for level, text in lines:
            log.log(level, "%s", text)
