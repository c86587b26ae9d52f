"""How the process of a command ends."""

from __future__ import annotations

import atexit
import os
import sys
import threading
from typing import NoReturn


def end(code: int) -> NoReturn:
    """End as `sys.exit` does, but leave memory as it is.

    A run leaves a million objects behind, and so do half a million names. Python
    would take them apart one by one, for up to half a second, before the system
    takes back all memory at once.
    """
    threads = [thread for thread in threading.enumerate() if not thread.daemon]
    if threads != [threading.main_thread()]:
        sys.exit(code)
    atexit._run_exitfuncs()
    try:
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:  # it was closed
                stream.flush()
    except OSError:
        sys.exit(code)  # nobody reads; Python has its way of saying so
    os._exit(code)
