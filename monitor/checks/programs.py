"""Other programs, run without a shell: to their end, or to the end of their time."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from monitor.checks.result import Failed

MOST_BYTES = 64 << 10
_running: set[subprocess.Popen[bytes]] = set()


class Outcome(NamedTuple):
    code: int
    out: str


def run_program(command: Sequence[str], timeout_s: float, folder: Path) -> Outcome:
    """How a program ended, with what it wrote.

    Raises Failed when it cannot be started or takes too long; what it has
    started itself is ended with it.
    """
    # A file, because a pipe would be waited for as long as any grandchild has it.
    with tempfile.TemporaryFile() as output:
        try:
            process = subprocess.Popen(
                command, cwd=folder, stdin=subprocess.DEVNULL, stdout=output,
                stderr=subprocess.STDOUT, env={**os.environ, "LC_ALL": "C"},
                process_group=0,
            )  # fmt: skip
        except OSError as error:
            raise Failed(f"cannot be started: {error.strerror}") from error
        _running.add(process)
        try:
            code = process.wait(timeout_s)
        except subprocess.TimeoutExpired as error:
            raise Failed(f"did not end within {timeout_s:g} seconds") from error
        finally:
            _end(process)
            _running.discard(process)
        output.seek(0)
        return Outcome(code, output.read(MOST_BYTES).decode(errors="replace"))


def end_all() -> None:
    """End what still runs: the monitor is about to end itself."""
    for process in list(_running):
        _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except OSError:
            process.kill()
        process.wait()
