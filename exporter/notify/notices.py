"""What to tell an operator after a run: what is new, and not twice.

`g/analytics/state/notices.json` holds the matters that were told and stand, by
the keys of alerts.py and news.py; a failed run is one more of them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from exporter.notify import delivery, outbox
from exporter.notify.news import (
    ALL,
    INCIDENT,
    KINDS,
    MONITOR,
    MOST_QUERIES,
    QUERY,
    UNTIL,
    WAITS,
    News,
    find_news,
)
from exporter.notify.outbox import Notice
from exporter.reporting.alerts import Alerts
from exporter.reporting.results import OK, RunResult
from exporter.reporting.summary import summary_path
from exporter.runtime.present import present
from exporter.runtime.redact import redact
from ingest import files
from ingest.inputs import utc_now
from ingest.root import Root
from ingest.store.digests import digest

if TYPE_CHECKING:
    from exporter.answers.ask import Answers

RUN = "run"
# What is told when a matter is over; others just end.
ENDINGS = {
    RUN: "Recovered: the run went well again.",
    "stale:heartbeats": "Heartbeats arrive again.",
    "stale:csv": "query_perf CSV files arrive again.",
}


def read_news(
    root: Root, result: RunResult, asked: Callable[[], Answers]
) -> News | None:
    """What the data says since it was last looked at; None where nobody is told, or
    the run published nothing. `asked` gives the answers of the marts. Raises
    OSError."""
    if result.by_hand or not delivery.is_configured() or root.is_example:
        return None
    if not result.with_status("exported"):
        return None
    return find_news(root, _read_told(root), present(), asked)


def announce(root: Root, result: RunResult, news: News | None = None) -> Notice | None:
    """Put a notice of what is new into the outbox, if anything is.

    Called under the lock. Returns a notice that the outbox could not keep,
    because then it has to be sent at once or never.
    """
    if result.by_hand or not delivery.is_configured():
        return None
    told = _read_told(root)
    found = _matters(result) | (_matters_of(news, told) if news else {})
    marks = {key: _mark(key, text) for key, text in found.items() if text}
    fresh = [key for key, mark in marks.items() if told.get(key) != mark]
    over = [key for key in found if key not in marks and key in told]
    before = dict(told)
    for key in over:
        del told[key]
    told |= marks
    passed = []
    if news and ALL not in news.held:
        waiting = {f"{WAITS}{key}": "" for key in news.passed if news.is_held(key)}
        told = {key: told[key] for key in told if not key.startswith(WAITS)} | waiting
        told[UNTIL] = news.until
        passed = [said for key, said in news.passed.items() if not news.is_held(key)]
    ended = [said for key in over if (said := _ending(key, news))]
    notice = _compose(root, result, found, fresh, [*ended, *passed], over)
    try:
        if notice:
            outbox.put(root, notice)
        if told != before:
            _write_told(root, told)
    except OSError:
        return notice
    return None


def _matters_of(news: News, told: Mapping[str, str]) -> Alerts:
    """What stands in the data, and None for what was told and is over; nothing of
    what is under maintenance."""
    found: Alerts = {key: None for key in told if key.startswith(KINDS)}
    found |= news.standing
    return {key: text for key, text in found.items() if not news.is_held(key)}


def _ending(key: str, news: News | None) -> str | None:
    return ENDINGS.get(key) or (news.endings.get(key) if news else None)


def _matters(result: RunResult) -> Alerts:
    if result.status == OK:
        return {RUN: None, **result.findings}
    # Each once and in an order of their own: errors come as it happens, and of
    # as many days as it happens.
    errors = sorted(set(map(_without_numbers, result.errors)))
    return {RUN: "\n".join(errors), **result.findings}


def _without_numbers(text: str) -> str:
    """Days and counts are left out, because those change from night to night."""
    return re.sub(r"\d+", "0", text)


def _mark(key: str, text: str) -> str:
    """What a matter is known by: a run that fails in another way is news, and so
    are other columns, or other faults in settings."""
    is_news = key in (RUN, "own_settings") or key.startswith("drift:")
    return digest([text])[:8] if is_news else ""


def _compose(
    root: Root,
    result: RunResult,
    found: Alerts,
    fresh: list[str],
    ended: list[str],
    over: list[str],
) -> Notice | None:
    lines = []
    if RUN in fresh:
        lines.append(f"Run {result.status} after {result.duration_s:.1f} s:")
        lines += [f"- {error}" for error in result.errors]
    lines += _few_queries([key for key in fresh if key.startswith(KINDS)], found)
    lines += ended
    warnings = [key for key in fresh if key != RUN and not key.startswith(KINDS)]
    lines += [f"Warning: {found[key]}" for key in warnings]
    if not lines:
        return None
    path = summary_path(root, result.started.date())
    lines += ["", f"Summary: {path}"]
    level, what = _headline(result, fresh, over)
    return Notice(
        at=f"{utc_now():%Y-%m-%dT%H:%M:%SZ}",
        level=level,
        title=outbox.title(root, what),
        text=redact("\n".join(lines)),
    )


def _few_queries(keys: list[str], found: Alerts) -> list[str]:
    """What the data says, but of many queries only the worst by name."""
    queries = [key for key in keys if key.startswith(f"{QUERY}:")]
    left_out = queries[MOST_QUERIES:]
    lines = [str(found[key]) for key in keys if key not in left_out]
    return lines + ([f"and {len(left_out):,} more got slower"] if left_out else [])


def _headline(result: RunResult, fresh: list[str], over: list[str]) -> tuple[str, str]:
    warnings = [key for key in fresh if key != RUN]
    if RUN in fresh:
        return "failure", f"run {result.status}"
    if opened := [key for key in fresh if key.startswith(f"{INCIDENT}:")]:
        checks = sorted({key.partition(":")[2].partition(" ")[0] for key in opened})
        first = "no heartbeat" if checks == [MONITOR] else f"{checks[0]} is down"
        more = f" (and {len(checks) - 1:,} more)" if checks[1:] else ""
        return "failure", f"{first}{more}"
    if warnings and all(key.startswith("stale:") for key in warnings):
        return "warning", "a source has gone stale"
    if warnings:
        count = len(warnings)
        return "warning", f"{count} warning{'' if count == 1 else 's'}"
    if RUN in over:
        return "success", "recovered"
    if any(key.startswith("stale:") for key in over):
        return "success", "a source is back"
    return "success", "an incident is over"


def _path(root: Root) -> Path:
    return root.state / "notices.json"


def _read_told(root: Root) -> dict[str, str]:
    try:
        files.refuse_what_is_no_file(_path(root))
        told = json.loads(_path(root).read_text("utf-8"))
        return {str(key): str(mark) for key, mark in told["told"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def _write_told(root: Root, told: dict[str, str]) -> None:
    text = json.dumps({"told": told}, indent=2, sort_keys=True) + "\n"
    files.write_text(_path(root), root.state, text, mode=0o600)
