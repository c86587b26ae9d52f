"""`g/logs/ops_monitor.loop.{out,err}.log`: what the loop does, what goes wrong."""

from __future__ import annotations

import contextlib
import logging
from logging.handlers import RotatingFileHandler
from pathlib import Path

from monitor.heartbeat import utc
from monitor.redaction import redact

LOG_BYTES = 1 << 20
LOGS_KEPT = 3


class Log:
    """Both logs; one that cannot be written stops nothing."""

    def __init__(self, root: Path) -> None:
        folder = root / "g" / "logs"
        self._out = _Handler(folder / "ops_monitor.loop.out.log")
        self._err = _Handler(folder / "ops_monitor.loop.err.log")

    def say(self, now_s: float, text: str) -> None:
        self._out.append(now_s, text)

    def fail(self, now_s: float, text: str) -> None:
        self._err.append(now_s, f"✗ {redact(text)}")

    def close(self) -> None:
        for handler in (self._out, self._err):
            handler.let_go()


class _Handler(RotatingFileHandler):
    def __init__(self, path: Path) -> None:
        super().__init__(path, "a", LOG_BYTES, LOGS_KEPT, "utf-8", delay=True)

    def append(self, now_s: float, text: str) -> None:
        line = f"[{utc(now_s):%Y-%m-%dT%H:%M:%SZ}] {text}"
        with contextlib.suppress(OSError):
            Path(self.baseFilename).parent.mkdir(parents=True, exist_ok=True)
        self.handle(logging.LogRecord("monitor", logging.INFO, "", 0, line, None, None))

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: ARG002, N802
        self.let_go()

    def let_go(self) -> None:
        """Close the file; the next line opens it anew. What a full disk did not
        take must not be kept in memory."""
        stream, self.stream = self.stream, None  # type: ignore[assignment]
        with contextlib.suppress(OSError, ValueError):
            if stream:
                stream.close()
