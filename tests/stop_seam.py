"""Stops a run in the worst of moments: for `prepare` of the forker."""

from __future__ import annotations

import signal
from concurrent.futures import _base


def stop_where_dbt_takes_locks(number: int) -> None:
    """Send a signal when dbt has taken the locks of what it awaits, and before it is
    in the block that gives them back: who is to tell it waits for them."""
    enter = _base._AcquireFutures.__enter__

    def enter_stopping(self: _base._AcquireFutures) -> None:
        enter(self)
        signal.raise_signal(signal.Signals(number))

    setattr(_base._AcquireFutures, "__enter__", enter_stopping)  # noqa: B010 - typed
