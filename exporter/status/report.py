"""The answer to how the machine is, as one object: what `--json` prints."""

from __future__ import annotations

import os
from datetime import datetime, timedelta
from typing import Any

from exporter.reporting.forecasts import next_crossing
from exporter.reporting.history import last_run, runs_since
from exporter.reporting.results import OK
from exporter.reporting.thresholds import Thresholds
from exporter.runtime.lock import find_running
from exporter.runtime.redact import redact
from exporter.status.reckon import Reckoning, Row, reckon
from exporter.status.sources import sources
from ingest import advice
from ingest.inputs import utc_now
from ingest.root import Root
from ingest.text.numbers import count

# Worst first: the state of the whole is that of the worst check.
STATES = ("down", "degraded", "unknown", "maintenance", "up")
Report = dict[str, Any]


def report(root: Root, machine: str, now: datetime) -> Report:
    """How the machine is at `now`; times are ISO and UTC, shares from 0 to 1.

    Its keys are those of docs/operations.md. Raises OSError.
    """
    found = reckon(root, machine, now, utc_now())
    checks = found.prepared("states_now")
    heartbeat = next(iter(found.ask("heartbeat")), None)
    incidents = [row for row in found.ask("incidents") if row["is_open"]]
    expected = sources(found, heartbeat)
    has_marts = bool(found.files.days("check_states"))
    run = last_run(root)
    found.files.load(found.db, "metric_forecast", found.files.only("metric_forecast"))
    crossing = next_crossing(
        found.rows("select * from metric_forecast"),
        run,
        Thresholds.from_environment(os.environ),
        now.date(),
    )
    stale = [row["source"] for row in expected if row["is_stale"]]
    silent = any(row["check_key"] == "monitor" for row in incidents)
    down = sorted(
        {row["check_key"] for row in checks if row["state"] == "down"}
        | {row["check_key"] for row in incidents if row["check_key"] != "monitor"}
    )
    is_old = not root.is_example and (bool(stale) or silent)
    said: Report = {
        "status": _status(checks, bool(down), is_old, heartbeat),
        "machine": machine,
        "root": str(root.path),
        "as_of": now,
        "last_heartbeat": heartbeat,
        "down": down,
        "checks": checks,
        "incidents": incidents,
        "uptime": {row.pop("period"): row for row in found.ask("uptime")},
        "slo": found.ask("slo") if has_marts else [],
        "sources": expected,
        "runs": _runs(root, run, now),
        "forecast": crossing
        and {"metric": crossing.metric, "limit": crossing.limit, "on": crossing.on},
        "notes": [*_notes(root, found, has_marts, run, heartbeat)],
    }
    if not has_marts:
        said["uptime"] = {}
    found.db.close()
    plain: Report = _plain(said)
    return plain


def is_well(said: Report) -> bool:
    """Whether nothing is down or stale."""
    return said["status"] not in ("down", "stale")


def _status(
    checks: list[Row], is_down: bool, is_old: bool, heartbeat: Row | None
) -> str:
    if is_down:
        return "down"
    if heartbeat is None:
        return "never seen"
    if is_old:
        return "stale"
    states = {row["state"] for row in checks if row["check_key"] == "overall"}
    states |= {row["state"] for row in checks if row["state"] == "degraded"}
    return next((state for state in STATES if state in states), "unknown")


def _runs(root: Root, run: Row | None, now: datetime) -> Report:
    """The last run, and how many of those of seven and thirty days went well."""
    shares: Report = {}
    until = f"{now:%Y-%m-%dT%H:%M:%SZ}"
    runs = [
        run
        for run in runs_since(root, now - timedelta(days=30))
        if run["started_at"] <= until
    ]
    for period, days in (("7d", 7), ("30d", 30)):
        since = f"{now - timedelta(days=days):%Y-%m-%dT%H:%M:%SZ}"
        its = [run for run in runs if run["started_at"] > since]
        well = sum(run["status"] == OK for run in its)
        shares[period] = {
            "runs": len(its),
            "successful_runs": well,
            "success_rate": well / len(its) if its else None,
        }
    last = None
    if run is not None and run["started_at"] <= until:
        error = next(iter(run.get("errors") or ()), None)
        last = {
            "started_at": run["started_at"],
            "status": run["status"],
            "duration_s": run["duration_s"],
            "first_error": error,
        }
    return {"last": last, **shares}


def _notes(
    root: Root,
    found: Reckoning,
    has_marts: bool,
    run: Row | None,
    heartbeat: Row | None,
) -> list[str]:
    """What a reader has to know besides, each with a way out where there is one."""
    notes = list(found.files.notes)
    if running := find_running(root):
        notes.append(f"a run is at work: {running}")
    if root.looks_wrong:
        notes.append(f"{advice.wrong_root(root)}, or make it one")
    elif heartbeat is None and run is None:
        said = "nothing has been exported yet, and no heartbeat was found; to begin"
        notes.append(advice.run(said, root, "export"))
    elif heartbeat is None and (rejected := found.rejected_heartbeats()):
        said = f"{count(rejected, 'heartbeat')} found and rejected, none published"
        notes.append(advice.run(f"{said}; to see why", root, "rejects"))
    elif heartbeat is None:
        said = "no run has found a heartbeat yet; to write some"
        notes.append(advice.run(said, root, "monitor", "--init"))
    elif not has_marts:
        said = "uptime and targets are not reckoned yet; to have them"
        notes.append(advice.run(said, root, "export"))
    if root.is_example:
        notes.append("the example is meant to be old")
    return [redact(note) for note in notes]


def _plain(value: Any) -> Any:
    """The same with times as text."""
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if isinstance(value, datetime):
        return f"{value.isoformat(timespec='seconds')}Z"
    return str(value) if hasattr(value, "isoformat") else value
