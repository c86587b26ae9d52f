"""The one seam to other programs: everything that is run goes through it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Sequence
from typing import NamedTuple

from exporter.agents.errors import AgentError

# Far above what launchctl and systemctl take, even while a job is stopping.
TIMEOUT_S = 120


class Outcome(NamedTuple):
    """How a program ended, and what it wrote."""

    code: int
    out: str = ""
    err: str = ""


Runner = Callable[[Sequence[str]], Outcome]


def run_program(command: Sequence[str]) -> Outcome:
    """Run a program to its end, its messages in English.

    Raises AgentError when it is not there or does not end.
    """
    try:
        ended = subprocess.run(
            command,
            capture_output=True,
            check=False,
            encoding="utf-8",
            env={**os.environ, "LC_ALL": "C"},
            errors="replace",
            stdin=subprocess.DEVNULL,
            timeout=TIMEOUT_S,
        )
    except OSError as error:
        raise AgentError(f"{command[0]} cannot be run: {error.strerror}") from error
    except subprocess.TimeoutExpired as error:
        raise AgentError(
            f"{' '.join(command)} did not end within {TIMEOUT_S} seconds"
        ) from error
    return Outcome(ended.returncode, ended.stdout, ended.stderr)


def failure(command: Sequence[str], outcome: Outcome) -> AgentError:
    """The error that says which command failed, and its own words for it."""
    words = " ".join((outcome.err or outcome.out).split()) or "no message"
    return AgentError(f"{' '.join(command)} failed with {outcome.code}: {words}")
