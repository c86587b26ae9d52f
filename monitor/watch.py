"""What is to be told of a check: that it fails, is well again, or flaps."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple, TypedDict

from monitor.checks.result import ERROR, WARN, Result

FAILED, RECOVERED, FLAPPING = "failed", "recovered", "flapping"
# So many heartbeats are remembered of a check.
REMEMBERED = 12
# In a row: one failure may be chance.
FAILURES = 2
# Changes among the remembered: it flaps; and as many in a row: it does no more.
FLAPS = 4
STEADY = 6


class Watched(TypedDict):
    """How a check was: a 1 for each heartbeat it failed in, else 0, newest last.

    `told` is what stands told of it (failed, flapping, or empty), `since` the
    first failure (UTC, ISO) of what goes on, else empty.
    """

    history: str
    told: str
    since: str


class Change(NamedTuple):
    """Something to tell. `since` is when the matter began (UTC, ISO)."""

    kind: str
    group: str
    name: str
    status: str
    message: str
    since: str


def watch(
    before: dict[str, Watched], results: Iterable[Result], at: datetime
) -> tuple[dict[str, Watched], list[Change]]:
    """How all checks are after a heartbeat, and what is to be told of them.

    A check that is asked for no longer is forgotten.
    """
    after, changes = {}, []
    for result in results:
        known = before.get(result.key, Watched(history="", told="", since=""))
        after[result.key], kind = _judge(known, result, at)
        if kind:
            since = after[result.key]["since"] or known["since"]
            changes.append(
                Change(
                    kind, result.group, result.name, result.status, result.message,
                    since,
                )
            )  # fmt: skip
    return after, changes


def _judge(known: Watched, result: Result, at: datetime) -> tuple[Watched, str]:
    fails = result.status in (WARN, ERROR)
    history = (known["history"] + "01"[fails])[-REMEMBERED:]
    told, since, kind = known["told"], known["since"], ""
    if fails and not since:
        since = f"{at:%Y-%m-%dT%H:%M:%SZ}"
    if told == FLAPPING:
        if len(set(history[-STEADY:])) == 1:
            told, kind = (FAILED, FAILED) if fails else ("", RECOVERED)
            # What it did before is over.
            history = history[-1]
    elif _changes(history) >= FLAPS:
        told = kind = FLAPPING
    elif told == FAILED:
        if not fails:
            told, kind = "", RECOVERED
    elif history.endswith("1" * FAILURES):
        told = kind = FAILED
    if not fails and not told:
        since = ""
    return Watched(history=history, told=told, since=since), kind


def _changes(history: str) -> int:
    return history.count("01") + history.count("10")
