"""All checks side by side, each with a time limit of its own.

A thread cannot be ended from outside. One that hangs is left behind, and its
check is not started again until it has ended: there is never more than one
thread of a check, however many heartbeats it hangs for.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from monitor.checks.result import (
    ERROR,
    OK,
    SKIPPED,
    WARN,
    Doubtful,
    Failed,
    Result,
    Skipped,
)
from monitor.redaction import redact


class Planned(NamedTuple):
    """A check to make. `probe` returns what is well, or raises."""

    group: str
    name: str
    severity: str
    timeout_s: float
    probe: Callable[[], str]


class Runner:
    """Makes checks; remembers those that hang."""

    def __init__(self) -> None:
        self._hanging: dict[tuple[str, str], threading.Thread] = {}

    def run(self, checks: Sequence[Planned], secrets: Sequence[str]) -> list[Result]:
        """One result for each check, in their order."""
        self._hanging = {
            key: thread for key, thread in self._hanging.items() if thread.is_alive()
        }
        started = time.monotonic()
        said: list[list[tuple[str, str]]] = [[] for _ in checks]
        threads: list[threading.Thread | None] = []
        for check, answer in zip(checks, said, strict=True):
            key = check.group, check.name
            if key in self._hanging:
                threads.append(None)
                continue
            thread = threading.Thread(
                target=_make_check,
                args=(check, answer),
                name="/".join(key),
                daemon=True,
            )
            try:
                thread.start()
            except RuntimeError as error:
                answer.append((check.severity, f"Not checked: {error}"))
                threads.append(None)
                continue
            threads.append(thread)
        for check, begun in zip(checks, threads, strict=True):
            if begun is None:
                continue
            begun.join(max(started + check.timeout_s - time.monotonic(), 0))
            if begun.is_alive():
                self._hanging[check.group, check.name] = begun
        return [
            _result(check, answer, secrets)
            for check, answer in zip(checks, said, strict=True)
        ]

    @property
    def hanging(self) -> int:
        """How many checks hang."""
        return sum(thread.is_alive() for thread in self._hanging.values())


def _make_check(check: Planned, answer: list[tuple[str, str]]) -> None:
    try:
        answer.append((OK, check.probe()))
    except Doubtful as doubt:
        answer.append((WARN, str(doubt)))
    except Skipped as skipped:
        answer.append((SKIPPED, f"Skipped: {skipped}"))
    except Failed as failed:
        answer.append((check.severity, str(failed)))
    except BaseException as error:  # noqa: BLE001 - of this check alone
        answer.append((ERROR, f"Check broke off: {type(error).__name__}: {error}"))


def _result(
    check: Planned, answer: list[tuple[str, str]], secrets: Sequence[str]
) -> Result:
    if answer:
        status, message = answer[0]
    else:
        status, message = ERROR, f"No answer within {check.timeout_s:g} seconds"
    return Result(check.group, check.name, status, redact(message, secrets))
