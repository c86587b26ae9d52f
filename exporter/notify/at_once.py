"""What the monitor has to say at once: a check fails, is well again, or flaps.

Through the same notices and maintenance windows as all that is told of the data.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from functools import cache
from typing import Protocol, TypeVar

from exporter.contracts.settings import settings_rows
from exporter.notify import delivery, outbox
from exporter.notify.episodes import Episode, remember
from exporter.notify.news import ALL, checks_in_maintenance
from exporter.notify.outbox import Notice
from exporter.runtime.present import present
from exporter.runtime.redact import redact
from ingest.root import PROJECT, Root
from ingest.text.times import parse_time

RECOVERED, FLAPPING = "recovered", "flapping"
WORDS = {RECOVERED: "is well again", FLAPPING: "flaps"}


class Change(Protocol):
    """What changed with a check; `kind` is failed, recovered or flapping, `since`
    when that began (UTC, ISO)."""

    @property
    def kind(self) -> str: ...
    @property
    def group(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def status(self) -> str: ...
    @property
    def message(self) -> str: ...
    @property
    def since(self) -> str: ...


C = TypeVar("C", bound=Change)


def tell_at_once(root: Root, changes: Sequence[C]) -> list[C]:
    """Tell what changed, as one notice. Returns what a maintenance window holds
    back. That something is well again is told in any case.

    Raises OSError where the notice can be neither kept nor sent.
    """
    windows = settings_rows(root)["maintenance_windows"]
    quiet = checks_in_maintenance(windows, present())
    held = [
        change
        for change in changes
        if change.kind != RECOVERED
        and quiet & {ALL, check_key(change.group, change.name)}
    ]
    told = [change for change in changes if change not in held]
    if told and delivery.is_configured():
        _send(root, _compose(root, told))
        remember(root, _episodes(told))
    return held


def _episodes(changes: Sequence[Change]) -> list[Episode]:
    """What was told to have failed, as the news of a run know it."""
    return [
        (check_key(change.group, change.name), since)
        for change in changes
        if change.kind != RECOVERED and (since := parse_time(change.since))
    ]


def check_key(group: str, name: str) -> str:
    """What the marts call a check: `redis`, or `disks/data` for one that has no
    column of its own."""
    columns = _monitored()
    column = columns.get((group, name)) or columns.get((group, "any"))
    if column:
        return column.replace("_status", "")
    return f"{_snake_case(group)}/{_snake_case(name)}"


@cache
def _monitored() -> dict[tuple[str, str], str]:
    path = PROJECT / "seeds" / "monitored_checks.csv"
    with path.open(encoding="utf-8", newline="") as stream:
        return {
            (row["check_group"], row["check_name"]): row["column_name"]
            for row in csv.DictReader(stream)
        }


def _snake_case(name: str) -> str:
    parted = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name)
    return re.sub(r"[\W_]+", "_", parted).lower().strip("_")


def _compose(root: Root, changes: Sequence[Change]) -> Notice:
    lines = [_line(change) for change in changes]
    first = changes[0]
    what = f"{first.group} {first.name} {_word(first)}"
    if len(changes) > 1:
        what += f" (and {len(changes) - 1} more)"
    kinds = {change.kind for change in changes}
    level = "success" if kinds == {RECOVERED} else "warning"
    if any(c.status == "error" and c.kind == "failed" for c in changes):
        level = "failure"
    return Notice(
        at=f"{present():%Y-%m-%dT%H:%M:%SZ}",
        level=level,
        title=outbox.title(root, what),
        text=redact("\n".join(lines)),
    )


def _line(change: Change) -> str:
    since = f", since {change.since}" if change.since else ""
    return f"{change.group} {change.name} {_word(change)}: {change.message}{since}"


def _word(change: Change) -> str:
    return WORDS.get(change.kind, "fails" if change.status == "error" else "warns")


def _send(root: Root, notice: Notice) -> None:
    """Keep it, so that it arrives in the end, and send what waits now."""
    try:
        outbox.put(root, notice)
    except OSError:
        delivery.deliver(root, notice)
        raise
    delivery.deliver(root)
