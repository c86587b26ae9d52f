"""Stops a run in the worst of moments: for `prepare` of the forker."""

from __future__ import annotations

import os
import signal
import time
from concurrent.futures import _base
from typing import Any
from unittest import mock

from exporter.publish.batches import make_files
from exporter.publish.dbt_import import import_dbt
from exporter.publish.work import handed_work


def stop_where_dbt_takes_locks(number: int) -> None:
    """Send a signal when dbt has taken the locks of what it awaits, and before it is
    in the block that gives them back: who is to tell it waits for them."""
    enter = _base._AcquireFutures.__enter__

    def enter_stopping(self: _base._AcquireFutures) -> None:
        enter(self)
        signal.raise_signal(signal.Signals(number))

    setattr(_base._AcquireFutures, "__enter__", enter_stopping)  # noqa: B010 - typed


def stop_where_files_are_made(number: int) -> None:
    """Send a signal when a dataset's files have been made, and go on with them when
    the run has taken note of it: their queries cannot be interrupted any more."""
    import_dbt()
    from exporter.publish import dbt_plugin

    def make_stopping(*arguments: Any) -> Any:
        made = make_files(*arguments)
        os.kill(os.getpid(), number)
        work = handed_work()
        assert work
        while not work.is_stopped:
            time.sleep(0.01)
        return made

    mock.patch.object(dbt_plugin, "make_files", make_stopping).start()
