"""What the public page shows: states and times, and nothing that was said."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from exporter.answers.ask import Row
from exporter.dashboard.documents import MOST, row_in_json

# Shown under these names; any other check only under one that was given to it.
FIXED = {
    "redis": "Redis",
    "database": "Database",
    "api": "API",
    "launchagent_optimizer": "Optimizer",
    "launchagent_digest": "Digest",
}
UPTIME = (
    "grain", "started_at", "ended_at", "up_s", "degraded_s", "down_s", "unknown_s",
    "maintenance_s",
)  # fmt: skip
INCIDENT = ("started_at", "ended_at", "duration_s")


def public_data(
    documents: Mapping[str, dict[str, Any]],
    incidents: Iterable[Row],
    names: Mapping[str, str],
) -> dict[str, Any]:
    """What the public page needs of the documents, and nothing else.

    `incidents` are all of that answer: those that the documents leave out may be
    the ones to show. `names` are public names by check, beside the fixed ones. A
    check goes by its public name alone.
    """
    shown = FIXED | dict(names)
    broken = [row for row in incidents if row["check_key"] in shown]
    # As long as an incident is open its check is down, seen or not.
    down = {row["check_key"] for row in broken if row["ended_at"] is None}
    checks = [
        {
            "name": shown[row["check_key"]],
            "state": "down" if row["check_key"] in down else row["state"],
            "since": row["since"],
        }
        for row in documents["checks"]["checks"]
        if row["check_key"] in shown
    ]
    status = documents["status"]
    return {
        "as_of": status["as_of"],
        "stale_after_s": status["status"]["stale_after_s"],
        "state": _overall({check["state"] for check in checks}),
        "checks": checks,
        "uptime": [
            {"name": shown[row["check_key"]], **{cell: row[cell] for cell in UPTIME}}
            for row in documents["uptime"]["uptime"]
            if row["check_key"] in shown and row["grain"] == "day"
        ],
        "incidents": [
            {
                "name": shown[row["check_key"]],
                **row_in_json({cell: row[cell] for cell in INCIDENT}),
            }
            for row in broken[:MOST]
        ],
        "maintenance": [
            {
                "name": shown.get(row["check_key"]),
                "started_at": row["started_at"],
                "ended_at": row["ended_at"],
            }
            for row in status["maintenance"]
            if row["check_key"] == "*" or row["check_key"] in shown
        ],
    }


def _overall(states: set[str]) -> str | None:
    """One state for all: unknown only where all are, None without any."""
    for state in ("down", "degraded", "maintenance"):
        if state in states:
            return state
    return "up" if "up" in states else next(iter(states), None)
