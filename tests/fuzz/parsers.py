"""One simple parser per source; what they do not understand they leave loose."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

from tests.fuzz.readings import (
    CANARY,
    Claim,
    Reading,
    dated_day,
    marks,
    query_token,
    time_token,
)
from tests.fuzz.report_parsers import REPORTS, json_heartbeat

ROWS = (
    "timestamp", "query_hash", "query_type", "execution_time_ms", "rows_examined",
    "rows_returned", "cache_hit", "table_name", "index_used",
)  # fmt: skip
TIMES = ("cpu_time_ms", "io_wait_ms")
PATTERNS = ("pattern", "samples", "avg_ms", "p50_ms", "p95_ms", "p99_ms", "slow_flag")
STATUSES = {"HEALTHY": "ok", "WARNINGS": "warn", "CRITICAL": "error"}
MONITORED = {
    ("Redis", "Status"): "redis_status",
    ("Database", "Status"): "database_status",
    ("LaunchAgents", "com.02luka.optimizer"): "launchagent_optimizer",
    ("LaunchAgents", "com.02luka.digest"): "launchagent_digest",
}
# Of a document that is refused as a whole so much text is surely kept.
KEPT = 3_000


def holds_secret(text: str) -> bool:
    return CANARY in text


def loose(name: str, text: str) -> list[Claim]:
    """Of a text that nobody promised to understand: each mark shows."""
    return [Claim(name, frozenset({mark})) for mark in sorted(marks(text))]


def plain_time(text: str) -> datetime | None:
    """A time as the inputs usually write it, else None."""
    if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z", text):
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at.astimezone(UTC).replace(tzinfo=None)


# Heartbeats

_FIELDS = re.compile(
    r"# [^\n]*\n\n\*\*Timestamp:\*\* (?P<at>[^\n]*)\n\*\*Status:\*\* (?P<status>[^\n]*)"
    r"\n\*\*Duration:\*\* (?P<duration>\d{1,9})ms\n\n---\n\n## Health Checks\n"
    r"(?P<checks>[^\0]*?)\n---\n\n## Summary\n[^*#]*"
)
_GROUP = re.compile(r"\n### ([A-Za-z ]+)\n\n((?:- \*\*[^\n]+\n)+)")
_CHECK = re.compile(r"- \*\*([\w. ]+):\*\* (✅|⚠️|⚠|❌) (\S[^\n]*\S)\n")
_MARK_STATUS = {"✅": "ok", "⚠️": "warn", "⚠": "warn", "❌": "error"}


def _read_heartbeat(name: str, text: str, modified: int) -> Reading:
    if name.endswith(".json"):
        claims = json_heartbeat(name, text)
    else:
        claims = _plain_heartbeat(name, text) if "\r" not in text else None
    if claims is None:
        claims = [Claim(name, frozenset({name}))]
    return Reading(name, "heartbeats", text, modified, tuple(claims), name, 1)


def _plain_heartbeat(name: str, text: str) -> list[Claim] | None:
    match = _FIELDS.fullmatch(text)
    at = plain_time(match["at"]) if match else None
    if match is None or at is None or "�" in text:
        return None
    groups = list(_GROUP.finditer(match["checks"]))
    if "".join(group[0] for group in groups) != match["checks"]:
        return None
    checks = []
    for group in groups:
        found = list(_CHECK.finditer(group[2]))
        if "".join(check[0] for check in found) != group[2]:
            return None
        checks += [(group[1], *check.groups()) for check in found]
    token = frozenset({name})
    row: dict[str, Any] = dict.fromkeys([*MONITORED.values(), "api_status"])
    claims = []
    order = ["ok", "skipped", "unknown", "warn", "error"]
    for group_name, check, mark, message in checks:
        status = "skipped" if message.startswith("Skipped") else _MARK_STATUS[mark]
        column = MONITORED.get((group_name, check))
        if column and row[column] is not None:
            return None  # which of two counts is not for us to say
        if column:
            row[column] = status
        elif group_name == "API Endpoints":
            row["api_status"] = max(row["api_status"] or "ok", status, key=order.index)
        values: dict[str, Any] = {
            "timestamp": at, "check_group": group_name, "check_name": check,
            "status": status,
        }  # fmt: skip
        claims.append(
            Claim(name, token, "heartbeat_checks", tuple(values.items()), at=at)
        )
    words = match["status"].split()
    row["status"] = STATUSES.get(words[-1] if words else "", "unknown")
    row |= {"timestamp": at, "duration_ms": int(match["duration"])}
    claims.append(Claim(name, token, "ops_atomic", tuple(row.items()), at=at))
    return claims


# Dated files


def _read_dated(name: str, text: str, modified: int) -> Reading:
    reader = _csv_claims if name.endswith(".csv") else _twin_claims
    claims = reader(name, text)
    records = max(sum(1 for line in text.splitlines() if line.strip()) - 1, 0)
    group = name if name.endswith(".csv") else name.replace(".json", ".twin")
    return Reading(name, "dated", text, modified, tuple(claims), group, records)


def _csv_claims(name: str, text: str) -> list[Claim]:
    lines = text.split("\n")
    header = lines[0].split(",")
    is_plain = not re.search(r'["\r\0#;\t�]', text)
    day = dated_day(name)
    known = set(header) <= {*ROWS, *TIMES} and set(ROWS) <= set(header)
    if not (is_plain and known and day and len(set(header)) == len(header)):
        return _pattern_claims(name, text, day) or loose(name, text)
    claims = []
    for line in lines[1:]:
        claim = _plain_row(name, header, line, day)
        if claim:
            claims.append(claim)
        else:
            claims += loose(name, line)
    return claims


_COUNT = re.compile(r"\d{1,15}")
_NUMBER = re.compile(r"\d{1,9}(\.\d{1,6})?")
_WORD = re.compile(r"[A-Za-z][A-Za-z_0-9]*")


def _plain_row(name: str, header: list[str], line: str, day: date) -> Claim | None:
    cells = dict(zip(header, line.split(","), strict=False))
    at = plain_time(cells.get("timestamp", ""))
    if line.count(",") != len(header) - 1 or at is None or holds_secret(line):
        return None
    values: dict[str, Any] = {"timestamp": at, "source_file": name}
    for column, text in cells.items():
        value: Any
        if column == "timestamp":
            continue
        if column in ("rows_examined", "rows_returned"):
            value = int(text) if _COUNT.fullmatch(text) else None
        elif column.endswith("_ms"):
            value = float(text) if _NUMBER.fullmatch(text) else None
        elif column == "cache_hit":
            value = {"true": True, "false": False}.get(text)
        else:
            value = text if _WORD.fullmatch(text) else None
        if value is None:
            return None
        values[column] = value
    token = frozenset({values["query_hash"]})
    # A row far from the day of its file may be refused.
    late = max(at, datetime(day.year, day.month, day.day))
    return Claim(name, token, "query_perf", tuple(values.items()), at=late)


def _pattern_claims(name: str, text: str, day: date | None) -> list[Claim] | None:
    if day is None or not re.fullmatch(r"[^\r\0#;\t�]*", text):
        return None
    rows = list(csv.reader(io.StringIO(text)))
    if not rows or tuple(rows[0]) != PATTERNS:
        return None
    claims = []
    for cells in rows[1:]:
        found = marks(",".join(cells))
        numbers = [_NUMBER.fullmatch(cell) for cell in cells[1:6]]
        is_plain = len(cells) == len(PATTERNS) and all(numbers)
        if not found:
            continue
        if not is_plain or holds_secret(cells[0]) or not _COUNT.fullmatch(cells[1]):
            claims.append(Claim(name, found))
            continue
        values = {
            "query_pattern": cells[0], "samples": int(cells[1]),
            "p95_ms": float(cells[4]), "source_file": name, "date_partition": day,
        }  # fmt: skip
        at = datetime(day.year, day.month, day.day)
        claims.append(
            Claim(name, found, "query_patterns", tuple(values.items()), at=at)
        )
    return claims


def _twin_claims(name: str, text: str) -> list[Claim]:
    try:
        value = json.loads(text, object_pairs_hook=_each_key_once)
        listed = value.get("patterns") or value.get("all_patterns")
        texts = [json.dumps(entry, ensure_ascii=False) for entry in listed]
    except (ValueError, AttributeError, TypeError, RecursionError):
        # All of it is one reject, of which not all is kept.
        return loose(name, text[:KEPT])
    claims = []
    for entry, said in zip(listed, texts, strict=True):
        numbers = [str(value) for key, value in entry.items() if key != "pattern"]
        is_plain = all(
            re.fullmatch(r"[\d.]{1,12}|True|False", number) for number in numbers
        )
        if is_plain and len(marks(said)) == 1 and not holds_secret(said):
            values = (("source_file", name),)
            claims.append(Claim(name, marks(said), "query_patterns", values))
        else:
            claims += loose(name, said)
    return claims


# Lines and reports


def _lines(text: str) -> list[str]:
    return [line for line in text.replace("\r\n", "\n").split("\n") if line.strip()]


def _read_log(name: str, text: str, modified: int) -> Reading:
    claims: list[Claim] = []
    for line in _lines(text):
        claim = _plain_query(name, line)
        claims += [claim] if claim else _odd_query(name, line)
    return Reading(name, "query_log", text, modified, tuple(claims))


def _plain_query(name: str, line: str) -> Claim | None:
    value = _object(line)
    query, at = value.get("query"), plain_time(str(value.get("ts")))
    took = value.get("duration_ms")
    timings = value.get("timings")
    if isinstance(timings, dict):
        took = timings.get("total_ms")
    is_plain = isinstance(query, str) and re.fullmatch(
        r"[A-Z]{6} [A-Za-z0-9_ =?*]+", query
    )
    is_number = isinstance(took, int | float) and _NUMBER.fullmatch(str(took))
    if not is_plain or not is_number or at is None or holds_secret(line):
        return None
    assert isinstance(query, str)
    hashed = query_token(query)
    values = {
        "timestamp": at, "query_hash": hashed, "execution_time_ms": float(took or 0),
        "source_file": name, "date_partition": at.date(),
    }  # fmt: skip
    tokens = marks(query) | {hashed}
    return Claim(name, tokens, "query_perf", tuple(values.items()), at=at)


def _odd_query(name: str, line: str) -> list[Claim]:
    """A line that becomes a row which we do not foresee, or a reject."""
    value = _object(line, dict)
    query, at = value.get("query"), plain_time(str(value.get("ts")))
    other = {query_token(query)} if isinstance(query, str) else set()
    if at:
        other.add(time_token(name, at))
    return [Claim(name, claim.tokens | other) for claim in loose(name, line)]


Pairs = list[tuple[str, Any]]


def _each_key_once(pairs: Pairs) -> dict[str, Any]:
    if len({key for key, _ in pairs}) < len(pairs):
        raise ValueError("a key comes twice")
    return dict(pairs)


def _object(
    text: str, made: Callable[[Pairs], dict[str, Any]] = _each_key_once
) -> dict[str, Any]:
    """A JSON object none of whose keys comes twice; else an empty one."""
    try:
        value = json.loads(text, object_pairs_hook=made)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _read_telemetry(name: str, text: str, modified: int) -> Reading:
    claims: list[Claim] = []
    for line in _lines(text):
        value = _object(line)
        at, metric = plain_time(str(value.get("ts"))), value.get("metric")
        number = value.get("value")
        is_plain = value.keys() == {"ts", "metric", "value"} and isinstance(metric, str)
        if not is_plain or at is None or not _NUMBER.fullmatch(str(number)):
            claims += loose(name, line)
        elif (tokens := marks(str(metric))) and not holds_secret(line):
            values = {
                "timestamp": at, "event_type": "telemetry_rollup",
                "metric_name": metric, "metric_value": float(str(number)),
            }  # fmt: skip
            claims.append(
                Claim(name, tokens, "optimization_summary", tuple(values.items()),
                      at=at, collapses=True)
            )  # fmt: skip
    return Reading(name, "telemetry", text, modified, tuple(claims))


def _read_report(name: str, text: str, modified: int) -> Reading:
    value = _object(text)
    at = plain_time(str(value.get("timestamp")))
    advice = value.get("recommendations")
    if not value or at is None or not isinstance(advice, list):
        claims = loose(name, text[:KEPT])
        return Reading(name, "index_advisor", text, modified, tuple(claims))
    claims = []
    for entry in advice:
        tokens = marks(json.dumps(entry, ensure_ascii=False))
        if len(tokens) == 1:
            values = (("timestamp", at), ("date_partition", at.date()))
            claims.append(Claim(name, tokens, "index_advisor", values, at=at))
    group = f"{name} of {at}"
    return Reading(
        name, "index_advisor", text, modified, tuple(claims), group, len(advice)
    )


def _read_summary(name: str, text: str, modified: int) -> Reading:
    lines = _lines(text)
    # What has no date by itself is of the night on which it was written.
    is_nightly = not re.search(r"\d{8}", name) and not any(
        line.startswith(("[", "{")) for line in lines
    )
    claims = [
        Claim(name, frozenset({mark}), is_nightly=is_nightly, collapses=True)
        for line in lines
        for mark in sorted(marks(line))
    ]
    return Reading(name, "optimization_summary", text, modified, tuple(claims))


PARSERS: dict[str, Callable[[str, str, int], Reading]] = {
    "heartbeats": _read_heartbeat,
    "dated": _read_dated,
    "query_log": _read_log,
    "telemetry": _read_telemetry,
    "index_advisor": _read_report,
    "optimization_summary": _read_summary,
    **REPORTS,
}
