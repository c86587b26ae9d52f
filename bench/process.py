"""Runs a command as a whole process and says what it cost."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

# getrusage counts kilobytes, but bytes on macOS.
MAXRSS_UNIT = 1 if sys.platform == "darwin" else 1024


@dataclass(frozen=True)
class Cost:
    """Wall seconds, and the peak memory of the largest process in it."""

    seconds: float
    peak_bytes: int


def run(
    command: Sequence[str],
    folder: Path,
    environment: Mapping[str, str],
    log: Path,
    codes: Collection[int] = (0,),
) -> Cost:
    """Run a command to its end. Raises RuntimeError, with its words, if it ends with
    another code than these.

    The peak is that of the largest among the process and its children: that
    is what wait4 says.
    """
    with log.open("wb") as said:
        begun = time.perf_counter()
        child = subprocess.Popen(
            command,
            cwd=folder,
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=subprocess.STDOUT,
        )
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.perf_counter() - begun
        child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode not in codes:
        words = log.read_text(encoding="utf-8", errors="replace")[-2000:]
        said_by = " ".join(command)
        raise RuntimeError(f"{said_by} ended with {child.returncode}: {words}")
    return Cost(seconds, usage.ru_maxrss * MAXRSS_UNIT)
