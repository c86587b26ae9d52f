"""Signals and the time limit become one exception."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from exporter.runtime.stop import Stopped, stoppable


def wait(number: int = 0) -> None:
    if number:
        os.kill(os.getpid(), number)
    for _ in range(200):
        time.sleep(0.01)


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)]
)
def test_a_signal_stops(number: signal.Signals, code: int) -> None:
    before = signal.getsignal(number)
    with stoppable(None) as stopper:
        with pytest.raises(Stopped, match=f"stopped by {number.name}") as stopped:
            wait(number)
        assert stopped.value.code == code
        with pytest.raises(Stopped):
            stopper.check()
        os.kill(os.getpid(), number)  # it is ending already
    assert signal.getsignal(number) is before


def test_a_time_limit_stops() -> None:
    with (
        stoppable(0.05),
        pytest.raises(Stopped, match=r"after 0\.05 seconds") as stopped,
    ):
        wait()
    assert stopped.value.code == 1


def test_the_end_of_a_run_is_not_stopped() -> None:
    with stoppable(None) as stopper:
        stopper.check()
        stopper.rest()
        os.kill(os.getpid(), signal.SIGTERM)
        stopper.check()


def test_what_runs_apart_is_asked_to_end_and_nothing_is_raised_in_it() -> None:
    asked = threading.Semaphore(0)
    seen: list[str] = []

    def work() -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        for _ in range(3):  # it is asked until it ends
            assert asked.acquire(timeout=60)
        seen.append("ended")

    with (
        stoppable(None) as stopper,
        pytest.raises(Stopped, match="stopped by SIGTERM"),
    ):
        stopper.run_apart(work, asked.release)
    assert seen == ["ended"]


def test_what_runs_apart_raises_as_if_it_did_not() -> None:
    def work() -> None:
        raise LookupError("nothing there")

    with stoppable(None) as stopper:
        with pytest.raises(LookupError, match="nothing there"):
            stopper.run_apart(work, pytest.fail)
        stopper.run_apart(lambda: None, pytest.fail)
        # It raises wherever it is again.
        with pytest.raises(Stopped):
            wait(signal.SIGINT)
        with pytest.raises(Stopped):
            stopper.run_apart(pytest.fail, pytest.fail)


HANGS = """
import os, signal, sys, threading
from exporter.runtime import stop

stop.GRACE_S, stop.DEAF_S = 2, 1
with stop.stoppable(None) as stopper:
    if sys.argv[1] == "at its end":
        stopper.rest()
    try:
        os.kill(os.getpid(), signal.SIGTERM)
    except stop.Stopped:
        pass
    taken = threading.Lock()
    taken.acquire()
    taken.acquire()
"""


@pytest.mark.parametrize("where", ["in between", "at its end"])
def test_what_hangs_is_broken_off_and_says_where(where: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", HANGS, where],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 1
    assert 'File "<string>", line 15' in done.stderr


def test_what_hangs_is_ended_even_where_nobody_reads_what_it_says() -> None:
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(writer, b"x" * 4096)
    os.set_blocking(writer, True)
    try:
        done = subprocess.run(
            [sys.executable, "-c", HANGS, "in between"],
            stderr=writer, check=False, timeout=60,
        )  # fmt: skip
    finally:
        os.close(writer)
        os.close(reader)
    assert done.returncode == -signal.SIGALRM


def test_what_cannot_be_interrupted_is_waited_for() -> None:
    asked = threading.Semaphore(0)
    seen: list[str] = []

    def interrupt() -> None:
        asked.release()
        raise LookupError("no such query")

    def work() -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        for _ in range(2):
            assert asked.acquire(timeout=60)
        seen.append("ended")

    with stoppable(None) as stopper, pytest.raises(Stopped):
        stopper.run_apart(work, interrupt)
    assert seen == ["ended"]


def test_a_signal_at_the_very_end_leaves_no_alarm(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    disarm = signal.setitimer

    def late(which: int, seconds: float, interval: float = 0) -> None:
        disarm(which, seconds, interval)
        if not seconds:
            os.kill(os.getpid(), signal.SIGTERM)

    before = signal.getsignal(signal.SIGALRM)
    with stoppable(None):
        monkeypatch.setattr(signal, "setitimer", late)
    monkeypatch.undo()
    assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)
    assert signal.getsignal(signal.SIGALRM) == before
