"""Stopping cleanly: signals and the time limit become one exception."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator
from types import FrameType

TIMED_OUT = 1
INTERRUPTED = 128 + signal.SIGINT


class Stopped(KeyboardInterrupt):
    """The run was told to stop; `code` is the exit code that says how.

    A KeyboardInterrupt, because that is what dbt stops its threads for.
    """

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class Stopper:
    """Remembers that a stop was asked for, in case a library swallows it."""

    def __init__(self) -> None:
        self.stopped: Stopped | None = None
        self.is_resting = False

    def rest(self) -> None:
        """Let nothing stop what comes now: the end of a run, which is short."""
        self.is_resting = True

    def check(self) -> None:
        """Raise again what was asked for."""
        if self.stopped:
            raise self.stopped


@contextlib.contextmanager
def stoppable(timeout_s: float | None) -> Iterator[Stopper]:
    """Turn SIGINT, SIGTERM and `timeout_s` seconds into Stopped."""
    stopper = Stopper()

    def on_signal(number: int, _: FrameType | None) -> None:
        if stopper.stopped or stopper.is_resting:
            return  # it is ending
        if number == signal.SIGALRM:
            stopper.stopped = Stopped(TIMED_OUT, f"stopped after {timeout_s:g} seconds")
        else:
            name = signal.Signals(number).name
            stopper.stopped = Stopped(128 + number, f"stopped by {name}")
        raise stopper.stopped

    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGALRM)
    before = {number: signal.signal(number, on_signal) for number in numbers}
    if timeout_s:
        signal.setitimer(signal.ITIMER_REAL, timeout_s)
    try:
        yield stopper
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in before.items():
            signal.signal(number, handler)
