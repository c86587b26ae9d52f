"""`health_YYYYMMDD.json`: named checks once a day, passed or failed.

`{timestamp, checks: [{name, status, exit_code, timestamp}], summary}`
"""

from __future__ import annotations

from ingest.sources.lines import NOT_AN_OBJECT
from ingest.sources.reports import Reading, ReportCheck, check
from ingest.text.json_text import BadJson, cell, key_names, parse_json
from ingest.text.times import parse_time

GROUP = "Health"


def read(_filename: str, text: str) -> Reading:
    """What a report says; one that is not whole is a problem as a whole."""
    try:
        value = parse_json(text)
    except BadJson as error:
        return Reading(None, [], str(error))
    if not isinstance(value, dict):
        return Reading(None, [], NOT_AN_OBJECT)
    keys = tuple(key_names(value))
    written = cell(value.get("timestamp"))
    at = parse_time(written) if written else None
    if written and at is None:
        return Reading(None, [], "timestamp is not a time", keys)
    entries = value.get("checks")
    if not isinstance(entries, list):
        return Reading(at, [], "checks is not a list", keys)
    checks: list[ReportCheck] = []
    for entry in entries:
        if not isinstance(entry, dict) or not cell(entry.get("name")):
            return Reading(at, [], "a check has no name", keys)
        code = cell(entry.get("exit_code"))
        said = cell(entry.get("message")) or (f"exit code {code}" if code else None)
        name, status = cell(entry["name"]) or "", cell(entry.get("status"))
        took = cell(entry.get("duration_ms"))
        checks.append(check(GROUP, name, status, said, code, took))
    return Reading(at, checks, None, keys)
