"""Since when this machine is awake: what slept cannot have reported."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime, timedelta

EPOCH = datetime(1970, 1, 1)
SECONDS = re.compile(r"\bsec = (\d+)")
TIMEOUT_S = 5


def awake_since(
    platform: str = sys.platform, read: Callable[[str], str] | None = None
) -> datetime | None:
    """When a Mac last woke or started, in UTC; None on what does not sleep.

    `read` gives the text of a sysctl, such as `{ sec = 1763000000, usec = 0 }`;
    a Mac that has not slept since it started shows 0 as its time of waking.
    """
    if platform != "darwin":
        return None
    times = [
        int(found[1])
        for name in ("kern.boottime", "kern.waketime")
        if (found := SECONDS.search((read or _sysctl)(name)))
    ]
    return EPOCH + timedelta(seconds=max(times)) if times else None


def _sysctl(name: str) -> str:
    try:
        return subprocess.run(
            ("/usr/sbin/sysctl", "-n", name),
            capture_output=True, check=True, text=True, timeout=TIMEOUT_S,
        ).stdout  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return ""
