"""What a terminal shows while something takes its time: one line, then gone."""

from __future__ import annotations

import os
import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TextIO

# Before that, it would be gone before it is read.
PATIENCE_S = 1.0
BEAT_S = 0.2
FRAMES = "|/-\\"
ERASE = "\r\x1b[K"


@dataclass
class _Task:
    label: str
    total: int
    begun: float = field(default_factory=time.monotonic)
    done: int = 0

    def __str__(self) -> str:
        took = f"{time.monotonic() - self.begun:.0f} s"
        if not self.total:
            return f"{self.label}, {took}"
        percent = min(100 * self.done // self.total, 100)
        return f"{self.label}: {self.done:,} of {self.total:,} ({percent}%), {took}"


def is_terminal(stream: TextIO | None) -> bool:
    """Whether a line that was shown there can be taken back."""
    return (
        stream is not None
        and not stream.closed
        and stream.isatty()
        and os.environ.get("TERM") != "dumb"
    )


class Spinner:
    """Shows the innermost of the tasks that go on, once a second has passed."""

    def __init__(self) -> None:
        self.tasks: list[_Task] = []
        self.guard = threading.RLock()
        self.is_drawn = False
        self.stream = sys.stdout  # dbt is given another one
        self.thread: threading.Thread | None = None

    @contextmanager
    def doing(self, label: str, total: int = 0) -> Iterator[Callable[[int], None]]:
        """Show a task while it goes on; call what this yields with steps done."""
        task = _Task(label, total)

        def step(steps: int) -> None:
            task.done += steps

        self.tasks.append(task)
        if self.thread is None and is_terminal(self.stream):
            self.thread = threading.Thread(target=self._beat, daemon=True)
            self.thread.start()
        try:
            yield step
        finally:
            self.tasks.remove(task)
            if not self.tasks:
                self.thread = None  # it ends by itself, and draws no more
            self.clear()

    def clear(self) -> None:
        """Take the line back, so that another can be printed."""
        with self.guard:
            if self.is_drawn:
                self._write(ERASE)
                self.is_drawn = False

    def _beat(self) -> None:
        # Nothing here waits for another thread: a signal may break off whoever else
        # is at it.
        time.sleep(PATIENCE_S)
        beats = 0
        while self.thread is threading.current_thread():
            with self.guard:
                if self.thread is not None and (tasks := list(self.tasks)):
                    beats += 1
                    width = shutil.get_terminal_size().columns - 1
                    line = f"{FRAMES[beats % len(FRAMES)]} {tasks[-1]}"[:width]
                    self._write(ERASE + line)
                    self.is_drawn = True
            time.sleep(BEAT_S)

    def _write(self, text: str) -> None:
        try:
            self.stream.write(text)
            self.stream.flush()
        except (OSError, ValueError):  # a terminal that has gone
            self.thread = None
