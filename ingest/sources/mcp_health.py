"""`mcp_health/YYYYMMDD_HHMMSS.md`: what launchd says of each service.

A heading with the time and its offset, then per service a heading and what
`launchctl print` says of it; at the end the tails of their logs.
"""

from __future__ import annotations

import re
from datetime import datetime

from ingest.sources.reports import Reading, ReportCheck, check, sections
from ingest.text.times import parse_time

GROUP = "MCP Health"

_TITLE = re.compile(
    r"^## MCP Health @ (\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2})"
    r"(?: ?([+-]\d{2}:?\d{0,2}|Z))?",
    re.MULTILINE | re.ASCII,
)
_HEADING = re.compile(r"^### (.+)$", re.MULTILINE)
# Only what is one tab deep is said of the service itself.
_VALUE = re.compile(r"^\t(?!\t)([a-z][a-z ]*) = (.*)$", re.MULTILINE)
_LOGS = "Logs ("


def read(_filename: str, text: str) -> Reading:
    """What a report says: one check per service."""
    title = _TITLE.search(text)
    if title is None:
        return Reading(None, [], "no MCP Health heading")
    checks: list[ReportCheck] = []
    for heading, below in sections(_HEADING, text):
        if heading[1].startswith(_LOGS):
            break
        checks.append(_service(heading[1], below))
    return Reading(_time(title), checks)


def _service(label: str, printed: str) -> ReportCheck:
    said = dict(_VALUE.findall(printed))
    state, code = said.get("state"), said.get("last exit code")
    shown = [state, f"last exit code {code}" if code is not None else None]
    message = ", ".join(text for text in shown if text) or printed
    number = re.match(r"-?\d+", code or "")
    return check(GROUP, label, state, message, exit_code=number[0] if number else None)


def _time(title: re.Match[str]) -> datetime | None:
    return parse_time(title[1] + (title[2] or "")) or parse_time(title[1])
