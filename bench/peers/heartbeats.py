"""The heartbeat parser that the peers share: quickly written, no more."""

from __future__ import annotations

import contextlib
import json
import os
import re
from collections.abc import Iterator
from typing import Any

FIELD = re.compile(r"^\*\*(\w+):\*\*[ \t]*(.*)$", re.MULTILINE)
GROUP = re.compile(r"(?ms)^### ([^\n]+)\n(.*?)(?=^#{1,6} |^---$|\Z)")
CHECK = re.compile(r"(?ms)^- \*\*([^\n]+?):\*\*(.*?)(?=^- \*\*|\Z)")
# Our files hide whose home it is, so the peers do too.
HOME = re.compile(r"/Users/\w+")
MARK = re.compile(r"^\s*[✅⚠❌]\ufe0f?")
STATUS = {"HEALTHY": "ok", "WARNINGS": "warn", "CRITICAL": "error"}
MARKS = {"✅": "ok", "⚠": "warn", "❌": "error"}
WORST = ["ok", "skipped", "unknown", "warn", "error"]
COLUMNS = {
    ("Redis", "Status"): "redis_status",
    ("Database", "Status"): "database_status",
    ("LaunchAgents", "com.02luka.optimizer"): "launchagent_optimizer",
    ("LaunchAgents", "com.02luka.digest"): "launchagent_digest",
}
ALL_COLUMNS = (*COLUMNS.values(), "api_status")

Row = dict[str, Any]


def parse(filename: str, text: str) -> tuple[Row, list[Row]]:
    """A report as a row of ops_atomic and its rows of heartbeat_checks."""
    header: dict[str, str] = {}
    for match in FIELD.finditer(text.partition("\n---")[0]):
        header.setdefault(match[1], match[2].strip())
    at = header["Timestamp"].removesuffix("Z").replace("T", " ")
    row: Row = {
        "filename": filename,
        "report_type": "heartbeat",
        "timestamp": at,
        "status": STATUS.get(_message(header["Status"]), "unknown"),
        "duration_ms": int(header["Duration"].removesuffix("ms")),
        **dict.fromkeys(ALL_COLUMNS),
        "date_partition": at[:10],
    }
    checks = []
    for group in GROUP.finditer(text):
        for check in CHECK.finditer(group[2]):
            body = check[2].strip()
            status = _status(body)
            checks.append(
                {
                    "filename": filename,
                    "timestamp": at,
                    "check_group": group[1].strip(),
                    "check_name": check[1].strip(),
                    "status": status,
                    "message": _message(body) or None,
                    "date_partition": at[:10],
                }
            )
            column = COLUMNS.get((group[1].strip(), check[1].strip()))
            if group[1].strip() == "API Endpoints":
                column = "api_status"
            if column:
                row[column] = max(row[column] or status, status, key=WORST.index)
    return row, checks


def _status(text: str) -> str:
    message = _message(text)
    if message.startswith("Skipped"):
        return "skipped"
    return MARKS.get(text[:1], "unknown")


def _message(text: str) -> str:
    return MARK.sub("", text).strip()


def read_all(root: str) -> Iterator[tuple[Row, list[Row]]]:
    """Every heartbeat below `g/reports`; what lacks a field is left out."""
    for folder, _, names in os.walk(f"{root}/g/reports"):
        for name in sorted(names):
            if name.startswith("heartbeat_") and name.endswith(".md"):
                with open(f"{folder}/{name}", encoding="utf-8") as stream:
                    text = HOME.sub("~", stream.read())
                with contextlib.suppress(KeyError):
                    yield parse(name, text)


def flatten(root: str, out: str) -> None:
    """Write every heartbeat and check as NDJSON into a new folder."""
    os.makedirs(out)
    with (
        open(f"{out}/ops_atomic.ndjson", "w", encoding="utf-8") as heartbeats,
        open(f"{out}/heartbeat_checks.ndjson", "w", encoding="utf-8") as checks,
    ):
        for row, rows in read_all(root):
            heartbeats.write(json.dumps(row, ensure_ascii=False) + "\n")
            checks.writelines(json.dumps(r, ensure_ascii=False) + "\n" for r in rows)
