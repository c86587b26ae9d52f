"""Stopping cleanly: signals and the time limit become one exception."""

from __future__ import annotations

import contextlib
import faulthandler
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from types import FrameType

TIMED_OUT = 1
INTERRUPTED = 128 + signal.SIGINT
# How long a run may take to end, once it was told to. A kill does no harm, a run
# that hangs keeps all others from running.
GRACE_S = 120
# How much later what cannot even say where it hangs is ended by the system.
DEAF_S = 10
# How often what runs apart is asked to end.
BEAT_S = 0.1
# By its number: Python's own stderr may stand for something else by then.
STDERR = 2


class Stopped(KeyboardInterrupt):
    """The run was told to stop; `code` is the exit code that says how."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class Stopper:
    """Remembers that a stop was asked for, in case a library swallows it."""

    def __init__(self) -> None:
        self.stopped: Stopped | None = None
        self.is_ending = False
        self.is_resting = False
        self.is_held = False

    def rest(self) -> None:
        """Let nothing stop what comes now: the end of a run, which is short."""
        self.is_resting = True

    def check(self) -> None:
        """Raise again what was asked for."""
        if self.stopped:
            raise self.stopped

    def run_apart(
        self, work: Callable[[], object], interrupt: Callable[[], object]
    ) -> None:
        """Do what shares locks with threads of its own, in a thread of its own.

        A signal raises where the main thread happens to be. Between the taking of a
        lock and the block that gives it back, that leaves it taken for ever, and who
        waits for it hangs. So nothing is raised meanwhile: `interrupt` is called
        again and again until the work ends, which raises what it raised, or Stopped.
        """
        self.check()
        raised: list[BaseException] = []
        # Not Thread.join, which takes a thread for ended where it is interrupted.
        ended = threading.Lock()
        ended.acquire()

        def run() -> None:
            try:
                work()
            except BaseException as error:  # noqa: BLE001 - for the other thread
                raised.append(error)
            finally:
                ended.release()

        self.is_held = True
        try:
            threading.Thread(target=run, name="apart", daemon=True).start()
            while not ended.acquire(timeout=BEAT_S):
                if self.stopped:
                    # Whatever comes of it, the work is waited for.
                    with contextlib.suppress(Exception):
                        interrupt()
        finally:
            self.is_held = False
        self.check()
        for error in raised:
            raise error


@contextlib.contextmanager
def stoppable(timeout_s: float | None) -> Iterator[Stopper]:
    """Turn SIGINT, SIGTERM and `timeout_s` seconds into Stopped.

    What has not ended GRACE_S seconds later is broken off: it says on stderr where it
    was, and the exit code is 1.
    """
    stopper = Stopper()

    def on_signal(number: int, _: FrameType | None) -> None:
        if stopper.is_ending:
            return
        stopper.is_ending = True
        if not stopper.is_resting:
            if number == signal.SIGALRM:
                reason = f"stopped after {timeout_s:g} seconds"
                stopper.stopped = Stopped(TIMED_OUT, reason)
            else:
                name = signal.Signals(number).name
                stopper.stopped = Stopped(128 + number, f"stopped by {name}")
        # Who says where it hangs waits for a reader: the system waits for nobody.
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_REAL, GRACE_S + DEAF_S)
        _break_off_in(GRACE_S)
        if stopper.stopped and not stopper.is_held:
            raise stopper.stopped

    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGALRM)
    before = {number: signal.signal(number, on_signal) for number in numbers}
    if timeout_s:
        # Now, for the handler may not get its turn.
        _break_off_in(timeout_s + GRACE_S)
        signal.setitimer(signal.ITIMER_REAL, timeout_s)
    try:
        yield stopper
    finally:
        stopper.is_ending = True  # of what comes now, nothing is told
        signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in before.items():
            signal.signal(number, handler)
        faulthandler.cancel_dump_traceback_later()


def _break_off_in(seconds: float) -> None:
    """End the process then, saying where it is, if there is anything to say it to."""
    if sys.stderr is None:
        return
    with contextlib.suppress(RuntimeError, OverflowError):  # no thread, or centuries
        faulthandler.dump_traceback_later(seconds, exit=True, file=STDERR)
