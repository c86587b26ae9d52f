"""How the process of a command ends."""

from __future__ import annotations

import atexit
import os
import sys
import threading
from typing import NoReturn


def end(code: int) -> NoReturn:
    """End as `sys.exit` does, but leave memory as it is.

    dbt leaves a million objects behind. Python would take them apart one by one,
    for half a second, before the system takes back all memory at once.
    """
    threads = [thread for thread in threading.enumerate() if not thread.daemon]
    if "dbt" not in sys.modules or threads != [threading.main_thread()]:
        sys.exit(code)
    atexit._run_exitfuncs()
    try:
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:  # it was closed
                stream.flush()
    except OSError:
        sys.exit(code)  # nobody reads; Python has its way of saying so
    os._exit(code)
