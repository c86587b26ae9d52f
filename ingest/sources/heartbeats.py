"""One heartbeat: a report of the monitor, one file each five minutes.

In Markdown, or as JSON with the same fields.
"""

import contextlib
import functools
import re
from collections.abc import Mapping
from datetime import date, datetime
from typing import TypedDict

from ingest.masking.masks import Masks
from ingest.sources import heartbeat_json
from ingest.text.clean import MAX_HEARTBEAT_BYTES, decode
from ingest.text.json_text import BadJson
from ingest.text.times import believable, date_problem, parse_time, utc_text

NO_STATUS = "no Status line"
NO_TIME = "no time"
TOO_LONG = "heartbeat is too long"
TOO_LARGE = "checks are too large"

MAX_CHECKS_CHARS = 2 * MAX_HEARTBEAT_BYTES
"""What its checks may come to as rows, each with the heading of its group: one
long heading over many checks would make gigabytes of a megabyte."""

NAME = re.compile(
    r"heartbeat_([0-9]{4}-[0-9]{2}-[0-9]{2})_([0-9]{2})-([0-9]{2})-([0-9]{2})"
    r"\.(?:md|json)"
)

# Every line that can be structure. Whether it is depends on the line before.
_STRUCTURE = re.compile(
    r"^(?:(?P<level>#{1,6})[ \t]+(?P<heading>.*)"
    r"|(?P<rule>-{3,}|\*{3,}|_{3,})[ \t]*$"
    r"|- \*\*(?P<check>[^\n]+?):\*\*(?P<text>.*)"
    r"|\*\*(?P<field>[^\n]+?):\*\*(?P<value>.*))",
    re.MULTILINE,
)


# Reports so long that a thousand of them may be remembered.
_MOST_REMEMBERED = 4_096


class Check(TypedDict):
    check_name: str
    text: str


class CheckGroup(TypedDict):
    """The checks below one heading, which stands here once for all of them."""

    check_group: str
    checks: list[Check]


class Heartbeat(TypedDict):
    """One record of landing.heartbeats."""

    filename: str
    at: str | None
    status_text: str | None
    duration_text: str | None
    fields: list[str] | None  # None when the report was not taken apart
    check_groups: list[CheckGroup]
    raw: str
    problem: str | None


def read_heartbeat(
    filename: str, data: bytes, now: datetime, masks: Masks
) -> Heartbeat:
    """Bytes of a report into its record, secrets masked.

    Of a longer file the first MAX_HEARTBEAT_BYTES + 1 bytes are enough.
    """
    if len(data) <= MAX_HEARTBEAT_BYTES:
        return parse_heartbeat(filename, masked(filename, decode(data), masks), now)
    at, _ = _time_of(filename, None, now)
    return {
        "filename": filename,
        "at": at,
        "status_text": None,
        "duration_text": None,
        "fields": None,
        "check_groups": [],
        "raw": masks.raw(decode(data)),
        "problem": TOO_LONG,
    }


def masked(filename: str, text: str, masks: Masks) -> str:
    """A report's text without its secrets."""
    if is_json(filename):
        with contextlib.suppress(BadJson):
            return masks.json(text)[0]
    return masks.text(text)


def is_json(filename: str) -> bool:
    return filename.endswith(".json")


def parse_heartbeat(filename: str, text: str, now: datetime) -> Heartbeat:
    """The record of a report whose text is decoded and masked already.

    `filename` is the base name, `now` the UTC time by which a report may be
    dated too far ahead. `at` is None when no believable time is known.
    """
    lines = text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text
    unread: str | None = None
    if is_json(filename):
        header, groups, unread = _from_json(text)
    else:
        header, groups = _structure(lines)
    at, problem = _time_of(filename, header.get("Timestamp"), now)
    if "Status" not in header:
        problem = NO_STATUS
    problem = unread or problem
    if len(lines) > _MOST_REMEMBERED and _size_as_rows(groups) > MAX_CHECKS_CHARS:
        problem, groups = TOO_LARGE, []
    return {
        "filename": filename,
        "at": at,
        "status_text": header.get("Status"),
        "duration_text": header.get("Duration"),
        "fields": list(header),
        "check_groups": groups,
        "raw": text,
        "problem": problem,
    }


def _from_json(text: str) -> tuple[dict[str, str], list[CheckGroup], str | None]:
    header, checks, problem = heartbeat_json.read(text)
    groups: list[CheckGroup] = []
    for group, name, said in checks:
        if not groups or groups[-1]["check_group"] != group:
            groups.append({"check_group": group, "checks": []})
        groups[-1]["checks"].append({"check_name": name, "text": said})
    return header, groups, problem


def _size_as_rows(groups: list[CheckGroup]) -> int:
    """Characters of all checks, where each has a row of its own."""
    return sum(
        len(group["check_group"]) + len(check["check_name"]) + len(check["text"])
        for group in groups
        for check in group["checks"]
    )


def _structure(text: str) -> tuple[dict[str, str], list[CheckGroup]]:
    # Nearly all reports differ in their headers only, and what stands before the
    # first rule has no say in what stands after it, unless a check is open.
    end = text.find("\n---\n")
    if end < 0 or "- **" in text[:end]:
        return _take_apart(text)
    header, _ = _take_apart(text[: end + 5])
    rest = text[end + 1 :]
    if len(rest) > _MOST_REMEMBERED:
        return header, _take_apart(rest)[1]
    return header, list(_groups_after_rule(rest))


@functools.lru_cache(maxsize=1_000)
def _groups_after_rule(text: str) -> tuple[CheckGroup, ...]:
    return tuple(_take_apart(text)[1])


def _take_apart(text: str) -> tuple[dict[str, str], list[CheckGroup]]:
    header: dict[str, str] = {}
    groups: list[CheckGroup] = []
    in_header = True
    group: CheckGroup | None = None
    bullet_end = -1  # where the last bullet's own line ends
    message_start = -1  # where the open message starts, -1 when none is open
    for match in _STRUCTURE.finditer(text):
        kind = match.lastgroup
        start = match.start()
        if kind == "value":
            if in_header:
                header.setdefault(match["field"].strip(), match["value"].strip())
            continue
        is_bullet = kind == "text"
        if message_start >= 0:
            follows_bullet = is_bullet and bullet_end == start - 1
            if not follows_bullet and not _after_empty_line(text, start):
                continue
            _close_message(groups, text[message_start:start])
            message_start = -1
        if is_bullet:
            if group is not None:
                if not group["checks"]:
                    groups.append(group)
                name = match["check"].strip()
                group["checks"].append({"check_name": name, "text": ""})
                message_start = match.start("text")
                bullet_end = match.end()
        elif kind == "rule":
            group = None
            in_header = False
        else:
            level = len(match["level"])
            group = None
            if level == 3:
                group = {"check_group": match["heading"].strip(), "checks": []}
            in_header = in_header and level == 1
    if message_start >= 0:
        _close_message(groups, text[message_start:])
    return header, groups


def _close_message(groups: list[CheckGroup], text: str) -> None:
    """The open message, which is that of the last check, ends here."""
    groups[-1]["checks"][-1]["text"] = text.strip()


def _after_empty_line(text: str, start: int) -> bool:
    before = text.rfind("\n", 0, start - 1)
    return not text[before + 1 : start].strip()


def _time_of(
    filename: str, written: str | None, now: datetime
) -> tuple[str | None, str | None]:
    """The time as landed and the problem with it."""
    at = parse_time(written) if written else None
    if at is None:
        at = time_in_name(filename)
    if at is None:
        return None, NO_TIME
    return utc_text(at), date_problem(at, now)


def time_in_name(filename: str) -> datetime | None:
    """The UTC time in `heartbeat_YYYY-MM-DD_HH-MM-SS.…`, None if impossible."""
    match = NAME.fullmatch(filename)
    return parse_time("{} {}:{}:{}".format(*match.groups())) if match else None


def day_of(record: Mapping[str, object], modified: datetime, now: datetime) -> date:
    """The day a record of landing.heartbeats lands under.

    Its own time's, which is the one of the file's name where the report has
    none, else that of `modified`, the file's modification time (UTC).
    """
    if record["at"] is not None:
        return date.fromisoformat(str(record["at"])[:10])
    return believable(modified, now).date()
