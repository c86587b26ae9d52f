"""A heartbeat as JSON, with the fields of a Markdown one.

`{timestamp, status, duration_ms, checks: [{group, name, status, message}]}`, as
docs/heartbeat.schema.json has it. It is turned into what a Markdown report says,
so that one model types both.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from ingest.sources.lines import NOT_AN_OBJECT
from ingest.text.json_text import BadJson, cell, key_names, parse_json

NO_CHECK_NAME = "a check has no group or no name"
NOT_A_LIST = "checks is not a list"

# What the status of the whole is called in Markdown, and the mark of a check.
WORDS = {"ok": "HEALTHY", "warn": "WARNINGS", "error": "CRITICAL"}
MARKS = {"ok": "✅", "warn": "⚠️", "error": "❌"}
SKIPPED = "Skipped"
# Stands for any mark that says nothing.
NO_MARK = "❔"

# Keys in JSON, and the header fields of Markdown that they stand for.
FIELDS = {"timestamp": "Timestamp", "status": "Status", "duration_ms": "Duration"}


class JsonHeartbeat(NamedTuple):
    """The header as Markdown names it; (group, name, text) of each check."""

    header: dict[str, str]
    checks: list[tuple[str, str, str]]
    problem: str | None = None


def read(text: str) -> JsonHeartbeat:
    """What a report says; one that is not whole is a problem as a whole."""
    try:
        value = parse_json(text)
    except BadJson as error:
        return JsonHeartbeat({}, [], str(error))
    if not isinstance(value, dict):
        return JsonHeartbeat({}, [], NOT_AN_OBJECT)
    header = dict(_header(value))
    entries = value.get("checks")
    if not isinstance(entries, list | None):
        return JsonHeartbeat(header, [], NOT_A_LIST)
    checks = []
    for entry in entries or []:
        if not isinstance(entry, dict):
            return JsonHeartbeat(header, [], NO_CHECK_NAME)
        group, name = cell(entry.get("group")), cell(entry.get("name"))
        if not group or not name:
            return JsonHeartbeat(header, [], NO_CHECK_NAME)
        checks.append((group, name, _text(entry)))
    return JsonHeartbeat(header, checks)


def _header(value: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """The fields, by their names in Markdown; one that says nothing is none."""
    for key, name in FIELDS.items():
        said = cell(value.get(key))
        if said is None:
            continue
        if key == "status":
            said = WORDS.get(said, said)
        yield name, f"{said}ms" if key == "duration_ms" else said
    for key in key_names({k: None for k in value if k not in (*FIELDS, "checks")}):
        yield key, ""


def _text(entry: dict[str, Any]) -> str:
    """A check's text as Markdown has it: mark and message."""
    status, message = cell(entry.get("status")), cell(entry.get("message")) or ""
    if status == "skipped":
        is_said = message.startswith(SKIPPED)
        return message if is_said else f"{SKIPPED}: {message}".rstrip(": ")
    return f"{MARKS.get(status or '', NO_MARK)} {message}".rstrip()
