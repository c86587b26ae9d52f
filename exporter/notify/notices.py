"""What to tell an operator after a run: what is new, and not twice.

`g/analytics/state/notices.json` holds the matters that were told and stand, by
the keys of alerts.py; a failed run is one more of them.
"""

from __future__ import annotations

import json
import re
import socket
from pathlib import Path

from exporter.notify import delivery, outbox
from exporter.notify.outbox import Notice
from exporter.reporting.alerts import Alerts
from exporter.reporting.results import OK, RunResult
from exporter.reporting.summary import summary_path
from exporter.runtime.redact import redact
from ingest import files
from ingest.inputs import utc_now
from ingest.root import Root
from ingest.store.landing import digest

RUN = "run"
# What is told when a matter is over; others just end.
ENDINGS = {
    RUN: "Recovered: the run went well again.",
    "stale:heartbeats": "Heartbeats arrive again.",
    "stale:csv": "query_perf CSV files arrive again.",
}


def announce(root: Root, result: RunResult) -> Notice | None:
    """Put a notice of what is new into the outbox, if anything is.

    Called under the lock. Returns a notice that the outbox could not keep,
    because then it has to be sent at once or never.
    """
    if result.by_hand or not delivery.is_configured():
        return None
    told = _read_told(root)
    found = _matters(result)
    marks = {key: _mark(key, text) for key, text in found.items() if text}
    fresh = [key for key, mark in marks.items() if told.get(key) != mark]
    over = [key for key in found if key not in marks and key in told]
    notice = _compose(root, result, found, fresh, over)
    for key in over:
        del told[key]
    told |= marks
    try:
        if notice:
            outbox.put(root, notice)
        if fresh or over:
            _write_told(root, told)
    except OSError:
        return notice
    return None


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
    root: Root, result: RunResult, found: Alerts, fresh: list[str], over: list[str]
) -> Notice | None:
    lines = []
    if RUN in fresh:
        lines.append(f"Run {result.status} after {result.duration_s:.1f} s:")
        lines += [f"- {error}" for error in result.errors]
    lines += [ENDINGS[key] for key in over if key in ENDINGS]
    lines += [f"Warning: {found[key]}" for key in fresh if key != RUN]
    if not lines:
        return None
    path = summary_path(root, result.started.date())
    lines += ["", f"Summary: {path}"]
    level, what = _headline(result, fresh, over)
    return Notice(
        at=f"{utc_now():%Y-%m-%dT%H:%M:%SZ}",
        level=level,
        title=f"ops-atomic on {socket.gethostname()}: {what}",
        text=redact("\n".join(lines)),
    )


def _headline(result: RunResult, fresh: list[str], over: list[str]) -> tuple[str, str]:
    warnings = [key for key in fresh if key != RUN]
    if RUN in fresh:
        return "failure", f"run {result.status}"
    if warnings and all(key.startswith("stale:") for key in warnings):
        return "warning", "a source has gone stale"
    if warnings:
        count = len(warnings)
        return "warning", f"{count} warning{'' if count == 1 else 's'}"
    return "success", "recovered" if RUN in over else "a source is back"


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
