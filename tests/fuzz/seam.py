"""What is put into the process of a command: a clock, an end, a neighbour.

A command is told which time it is, at which of its own steps it dies, and what
others do to its inputs in between. Its steps are counted by what it asks the
system for, so that the same numbers hit the same moments again.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from datetime import datetime
from pathlib import Path
from typing import Any

from ingest import inputs
from tests.fuzz.actions import Action, act

CHANGES = {
    "os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.chmod", "os.utime",
    "sqlite3.connect",
}  # fmt: skip
READS = os.O_WRONLY | os.O_RDWR


def arm(
    now: str,
    root: str = "",
    kill_at: int | None = None,
    meanwhile: list[tuple[int, Action]] | None = None,
) -> None:
    """Called in the process, before the command.

    `now` is the time it begins at; `kill_at` and the numbers in `meanwhile` count
    its steps from 1.
    """
    _set_clock(datetime.fromisoformat(now))
    if kill_at is not None or meanwhile:
        _Steps(Path(root), kill_at, dict(meanwhile or [])).watch()


def _set_clock(now: datetime) -> None:
    real = inputs.utc_now
    begun = real()

    def utc_now() -> datetime:
        return now + (real() - begun)

    for module in list(sys.modules.values()):
        if getattr(module, "utc_now", None) is real:
            module.utc_now = utc_now  # type: ignore[attr-defined]


class _Steps:
    """Counts what the process does to files, reading and flushing included."""

    def __init__(
        self, root: Path, kill_at: int | None, meanwhile: dict[int, Action]
    ) -> None:
        self.root = root
        self.kill_at = kill_at
        self.meanwhile = meanwhile
        self.count = 0
        self.is_acting = False
        self.guard = threading.RLock()

    def watch(self) -> None:
        fsync = os.fsync

        def counted(descriptor: Any) -> None:
            self.step()
            fsync(descriptor)
            self.step()

        os.fsync = counted  # type: ignore[assignment]
        sys.addaudithook(self._hear)

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        is_below = event == "open" and str(arguments[0]).startswith(str(self.root))
        if event in CHANGES or is_below:
            self.step()

    def step(self) -> None:
        with self.guard:
            if self.is_acting:
                return
            self.count += 1
            if self.count == self.kill_at:
                os.kill(os.getpid(), signal.SIGKILL)
            if action := self.meanwhile.pop(self.count, None):
                self.is_acting = True
                act(self.root, action)
                self.is_acting = False
