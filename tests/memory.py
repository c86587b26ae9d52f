"""The most memory that a process has taken; imported by processes of tests."""

from __future__ import annotations

import resource
import sys


def most_bytes() -> int:
    """The peak of this process alone.

    On Linux `ru_maxrss` begins with that of the process that started this one.
    """
    try:
        with open("/proc/self/status", encoding="ascii") as status:
            (line,) = [line for line in status if line.startswith("VmHWM:")]
        return int(line.split()[1]) * 1024
    except OSError:
        unit = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
