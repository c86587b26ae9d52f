from __future__ import annotations

import subprocess
from datetime import datetime

import pytest

from exporter.runtime.wake import awake_since

# As `sysctl -n` prints them.
BOOT = "{ sec = 1761609600, usec = 123456 } Tue Oct 28 00:00:00 2025\n"
WAKE = "{ sec = 1761785400, usec = 0 } Thu Oct 30 00:50:00 2025\n"
NEVER = "{ sec = 0, usec = 0 } Thu Jan  1 00:00:00 1970\n"


def test_elsewhere_nothing_sleeps() -> None:
    assert awake_since("linux") is None


@pytest.mark.parametrize(
    ("wake", "since"),
    [(WAKE, datetime(2025, 10, 30, 0, 50)), (NEVER, datetime(2025, 10, 28))],
)
def test_a_mac_is_awake_since_it_woke_or_started(wake: str, since: datetime) -> None:
    answers = {"kern.boottime": BOOT, "kern.waketime": wake}
    assert awake_since("darwin", answers.__getitem__) == since


def test_what_cannot_be_read_is_not_known(monkeypatch: pytest.MonkeyPatch) -> None:
    assert awake_since("darwin", lambda name: "") is None

    def fail(*args: object, **kwargs: object) -> None:
        raise FileNotFoundError

    monkeypatch.setattr(subprocess, "run", fail)
    assert awake_since("darwin") is None
