"""`OPS_ATOMIC_YYMMDD_HHMMSS.md`: the daily run's report by phase, in two layouts.

The newer one says its time in UTC, the state of each phase in its heading, and
in a phase's output what was tested. The older one lists marked services below
`## Phase N: …`; its name is in local time, and only the front matter carries
the offset from UTC (the clock beside that offset is UTC already).
"""

from __future__ import annotations

import re
from datetime import datetime

from ingest.sources.reports import Reading, ReportCheck, check, sections
from ingest.text.times import parse_time

OVERALL = "Overall"

_NAME = re.compile(r"OPS_ATOMIC_(\d{6})_(\d{6})\.md", re.ASCII)
_NEWER = re.compile(r"^# OPS Atomic Run\b[^\n0-9]*([0-9T:.+Z-]+)?", re.MULTILINE)
_OLDER = re.compile(r"^# OPS_ATOMIC Report", re.MULTILINE)
_OFFSET = re.compile(r"^date: .*?([+-]\d{2}:?\d{2}|Z)[ \t]*$", re.MULTILINE | re.ASCII)
_STATE = re.compile(r"^- Status: \**([^*\n]*[^*\s])\**[ \t]*$", re.MULTILINE)
_PHASE_RESULT = re.compile(
    r"^### Phase \d+: (?P<name>[^\n]+?) [—–-] (?P<state>[^\n]+)$", re.MULTILINE
)
_SECTION = re.compile(r"^=== (.+) ===$")
_TESTED = re.compile(
    r"^(?:Testing )?(\w[^\n]*?)\.\.\. +((?:[✅❌⚠⏭]|PASS|WARN|FAIL|SKIP)[^\n]*)$"
)
_PHASE = re.compile(r"^## (?:Phase \d+: )?(.+)$", re.MULTILINE)
# A bullet whose value begins with a mark: the mark says how it is.
_MARKED = re.compile(
    r"^- ([^:\n]+?(?: \([^()\n]*\))?): ([✅❌⚠⏭][^\n]*)$", re.MULTILINE
)
_OVERALL = re.compile(r"^\*\*Overall Status:\*\* *([^\n]+)$", re.MULTILINE)
_RUNNING = re.compile(r"^\*\*Status:\*\* *([^\n]+)$", re.MULTILINE)
_SUMMARY = "Summary"
_FENCE = re.compile(r"^```.*$", re.MULTILINE)
# Up to the next fence, or the end of a report that was cut short.
_FENCED = re.compile(r"^```.*?(?:^```[^\n]*$|\Z)", re.MULTILINE | re.DOTALL)
# A mark, a word, or both; then what there is to say about it.
_SAID = re.compile(r"([✅❌⚠⏭]?\ufe0f?\s*(?:[A-Z]{2,}\b|Skipped\b)?)\s*(.*)", re.DOTALL)
_NOTHING = "_No output recorded._"


def read(filename: str, text: str) -> Reading:
    """What a report says: how it went over all, its phases and services."""
    if newer := _NEWER.search(text):
        at = parse_time(newer[1]) if newer[1] else None
        return Reading(at or _time_in_name(filename, "Z"), _newer_checks(text))
    if _OLDER.search(text):
        offset = _OFFSET.search(text)
        return Reading(
            _time_in_name(filename, offset[1] if offset else "Z"), _older_checks(text)
        )
    at = _time_in_name(filename, "Z")
    return Reading(at, [], "no heading of a daily run")


def _time_in_name(filename: str, offset: str) -> datetime | None:
    found = _NAME.fullmatch(filename)
    if found is None:
        return None
    day, clock = found[1], found[2]
    return parse_time(
        f"20{day[:2]}-{day[2:4]}-{day[4:]}T{clock[:2]}:{clock[2:4]}:{clock[4:]}{offset}"
    )


def _newer_checks(text: str) -> list[ReportCheck]:
    state = _STATE.search(text)
    checks = [check(OVERALL, "Status", state[1] if state else None)]
    for phase, below in sections(_PHASE_RESULT, text):
        output = _FENCE.sub("", below).strip()
        said = "" if output == _NOTHING else output
        checks.append(check("Phases", phase["name"], phase["state"], said))
        checks += _tested(phase["name"], output)
    return checks


def _tested(phase: str, output: str) -> list[ReportCheck]:
    """The lines of a phase's output that say how one thing was found."""
    checks = []
    group = phase
    for line in output.split("\n"):
        if section := _SECTION.match(line):
            group = section[1]
        elif found := _TESTED.match(line):
            checks.append(_marked(group, found[1], found[2]))
    return checks


def _older_checks(text: str) -> list[ReportCheck]:
    overall = _OVERALL.search(text) or _RUNNING.search(text)
    checks = [_marked(OVERALL, "Status", overall[1] if overall else "")]
    for phase, below in sections(_PHASE, _FENCED.sub("", text)):
        if phase[1].strip() == _SUMMARY:
            break  # it says once more what stands above
        for found in _MARKED.finditer(below):
            name, _, where = found[1].partition(" (")
            checks.append(_marked(phase[1], name, found[2], where))
    return checks


def _marked(group: str, name: str, said: str, where: str = "") -> ReportCheck:
    """A check whose text begins with its mark or word; `where` is what it looked at."""
    found = _SAID.fullmatch(said.strip())
    status, rest = (found[1], found[2]) if found else ("", said)
    message = " ".join(_bare(text) for text in (where, rest) if text)
    return check(group, name, status.strip() or rest, message)


def _bare(text: str) -> str:
    """Without the parentheses around all of it."""
    return text.strip().removeprefix("(").removesuffix(")")
