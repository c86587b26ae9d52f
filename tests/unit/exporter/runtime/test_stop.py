"""Signals and the time limit become one exception."""

from __future__ import annotations

import os
import signal
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
