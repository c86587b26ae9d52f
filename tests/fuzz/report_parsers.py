"""Simple parsers of reports of checks: health, MCP services, the daily run, and
heartbeats as JSON; what they do not understand they leave loose."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

from tests.fuzz.readings import Claim, Reading

# What is not plain may hold any number of checks.
ANY_NUMBER = 1 << 30
# (group, name, status) of each check.
Checks = list[tuple[str, str, str]]
Said = tuple[datetime, Checks]

_UTC = r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)Z"


def _at(text: Any) -> datetime | None:
    """A time as these reports usually write it, else None."""
    match = re.fullmatch(_UTC, text) if isinstance(text, str) else None
    try:
        return datetime.fromisoformat(match[1]) if match else None
    except ValueError:
        return None


def _document(text: str, keys: set[str]) -> dict[str, Any]:
    """A JSON object with exactly these keys, else an empty one."""
    try:
        value = json.loads(text, object_pairs_hook=_each_once)
    except (ValueError, RecursionError):
        return {}
    is_known = isinstance(value, dict) and value.keys() == keys
    is_listed = is_known and isinstance(value["checks"], list) and value["checks"]
    return value if is_listed and "�" not in text and "\0" not in text else {}


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({key for key, _ in pairs}) < len(pairs):
        raise ValueError("a key comes twice")
    return dict(pairs)


def _are_plain(checks: list[Any], keys: set[str]) -> bool:
    return all(
        isinstance(check, dict)
        and check.keys() == keys
        and all(isinstance(v, str) and v.strip() == v != "" for v in check.values())
        for check in checks
    )


_PASSED = {"pass": "ok", "fail": "error"}


def _health(_name: str, text: str) -> Said | None:
    value = _document(text, {"timestamp", "checks"})
    at = _at(value.get("timestamp"))
    checks = value.get("checks", [])
    if at is None or not _are_plain(checks, {"name", "status", "message"}):
        return None
    if not all(check["status"] in _PASSED for check in checks):
        return None
    return at, [("Health", c["name"], _PASSED[c["status"]]) for c in checks]


_SERVICES = re.compile(
    r"## MCP Health @ (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) \+00:00\n"
    r"((?:\n### [\w.]+\n\tstate = running\n\tpid = \w+\n\tlast exit code = 0\n)+)"
)


def _mcp_health(_name: str, text: str) -> Said | None:
    match = _SERVICES.fullmatch(text)
    at = _at(match[1].replace(" ", "T") + "Z") if match else None
    if match is None or at is None:
        return None
    services = re.findall(r"### ([\w.]+)", match[2])
    return at, [("MCP Health", service, "ok") for service in services]


_RUN = re.compile(
    rf"# OPS Atomic Run — {_UTC}\n\n- Status: \*\*PASS\*\*\n"
    r"((?:\n### Phase \d: \w+ — PASS\n\n_No output recorded\._\n)+)"
)


def _daily_run(_name: str, text: str) -> Said | None:
    match = _RUN.fullmatch(text)
    at = _at(f"{match[1]}Z") if match else None
    if match is None or at is None:
        return None
    phases = re.findall(r"### Phase \d: (\w+)", match[2])
    checks = [("Phases", phase, "ok") for phase in phases]
    return at, [("Overall", "Status", "ok"), *checks]


def _reader_of(
    kind: str, told: Callable[[str, str], Said | None]
) -> Callable[[str, str, int], Reading]:
    def read(name: str, text: str, modified: int) -> Reading:
        said = told(name, text)
        token = frozenset({name})
        if said is None:
            claims: tuple[Claim, ...] = (Claim(name, token),)
            return Reading(name, kind, text, modified, claims, name, ANY_NUMBER)
        at, checks = said
        claims = tuple(
            Claim(name, token, "report_checks", tuple(row.items()), at=at)
            for group, check, status in checks
            for row in [{
                "report_type": kind, "timestamp": at, "check_group": group,
                "check_name": check, "status": status,
            }]
        )  # fmt: skip
        return Reading(name, kind, text, modified, claims, name, len(checks))

    return read


REPORTS = {
    kind: _reader_of(kind, told)
    for kind, told in (
        ("health", _health), ("mcp_health", _mcp_health), ("daily_run", _daily_run)
    )
}  # fmt: skip


def json_heartbeat(name: str, text: str) -> list[Claim] | None:
    """What a heartbeat in JSON says, if it is plain."""
    value = _document(text, {"timestamp", "status", "duration_ms", "checks"})
    at = _at(value.get("timestamp"))
    checks = value.get("checks", [])
    keys = {"group", "name", "status", "message"}
    if at is None or not _are_plain(checks, keys):
        return None
    if type(value["duration_ms"]) is not int:
        return None
    statuses = {value["status"], *(check["status"] for check in checks)}
    if statuses - {"ok", "warn", "error"}:
        return None
    token = frozenset({name})
    row = {"timestamp": at, "status": value["status"],
           "duration_ms": value["duration_ms"]}  # fmt: skip
    claims = [Claim(name, token, "ops_atomic", tuple(row.items()), at=at)]
    for check in checks:
        row = {"timestamp": at, "check_group": check["group"],
               "check_name": check["name"], "status": check["status"]}  # fmt: skip
        claims.append(Claim(name, token, "heartbeat_checks", tuple(row.items()), at=at))
    return claims
