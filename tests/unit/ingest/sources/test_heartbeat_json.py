"""A heartbeat as JSON says what the Markdown one of the same fields says."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from ingest.masking.masks import load_masks
from ingest.root import PROJECT, Root
from ingest.run import land
from ingest.sources import heartbeat_json
from ingest.sources.heartbeats import Heartbeat, read_heartbeat
from ingest.store.ledger import Ledger
from ingest.store.merge import TWIN
from ingest.store.part_files import parse_records
from tests import faults
from tests.faults import write

NOW = datetime(2025, 11, 2, 12)
MASKS = load_masks()
STEM = "heartbeat_2025-10-28_07-51-31"
SCHEMA = PROJECT / "docs" / "heartbeat.schema.json"
JSON = {
    "timestamp": "2025-10-28T14:51:31+07:00",
    "status": "warn",
    "duration_ms": 153,
    "checks": [
        {"group": "Redis", "name": "Status", "status": "ok", "message": "responds"},
        {"group": "Redis", "name": "Memory", "status": "warn", "message": "12 MB"},
        {"group": "Database", "name": "Status", "status": "error"},
        {"group": "API Endpoints", "name": "/a", "status": "skipped", "message": "CI"},
        {"group": "API Endpoints", "name": "/b", "message": "odd"},
    ],
}
MARKDOWN = """# Heartbeat

**Timestamp:** 2025-10-28T07:51:31Z
**Status:** ⚠️ WARNINGS
**Duration:** 153ms

---

### Redis

- **Status:** ✅ responds
- **Memory:** ⚠️ 12 MB

### Database

- **Status:** ❌

### API Endpoints

- **/a:** Skipped: CI
- **/b:** ❔ odd
"""


def read(text: str, end: str = "json") -> Heartbeat:
    return read_heartbeat(f"{STEM}.{end}", text.encode(), NOW, MASKS)


def test_it_says_what_markdown_says() -> None:
    one, other = read(json.dumps(JSON)), read(MARKDOWN, "md")
    for key in ("at", "fields", "check_groups", "duration_text", "problem"):
        assert one[key] == other[key], key
    assert (one["status_text"], other["status_text"]) == ("WARNINGS", "⚠️ WARNINGS")


def test_the_schema_names_what_is_read() -> None:
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    assert set(schema["properties"]) == {*heartbeat_json.FIELDS, "checks"}
    check = schema["properties"]["checks"]["items"]["properties"]
    assert set(check) == {"group", "name", "status", "message"}
    assert {*heartbeat_json.MARKS, "skipped"} < set(check["status"]["enum"])


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (json.dumps(JSON)[:100], "not JSON"),
        ("[]", "not an object"),
        ('{"checks": []}', "no Status line"),
        ('{"status": "ok", "checks": {}}', "checks is not a list"),
        ('{"status": "ok", "checks": [{"name": "x"}]}', "no group or no name"),
        ('{"status": "ok", "checks": ["x"]}', "no group or no name"),
    ],
)
def test_what_cannot_be_read_is_a_reject_with_its_text(text: str, problem: str) -> None:
    record = read(text)
    assert problem in (record["problem"] or "")
    assert (record["raw"], record["at"]) == (text, "2025-10-28 07:51:31.000000")


def test_another_key_is_told_as_drift() -> None:
    assert "host" in (read('{"status": "ok", "host": "a"}')["fields"] or [])


def landed(root: Path) -> dict[str, str | None]:
    """By name, what is wrong with each landed heartbeat."""
    parts = (root / faults.LANDING).glob("heartbeats/*/*.gz")
    records = [r for part in parts for r in parse_records(part.read_bytes())]
    return {record["filename"]: record["problem"] for record in records}


@pytest.mark.parametrize("first", ["md", "json"])
@pytest.mark.parametrize("at_once", [True, False])
def test_of_one_name_in_both_forms_json_counts_once(
    tmp_path: Path, first: str, at_once: bool
) -> None:
    ledger = Ledger(None)
    texts: dict[str, Any] = {"md": MARKDOWN, "json": json.dumps(JSON)}
    for end in sorted(texts, key=lambda end: end != first):
        write(tmp_path / f"g/reports/{end}/{STEM}.{end}", texts[end], 1761640000)
        if not at_once:
            land(Root(tmp_path), ledger, now=NOW)
    land(Root(tmp_path), ledger, now=NOW)
    land(Root(tmp_path), ledger, now=NOW, historical=True)
    assert landed(tmp_path) == {f"{STEM}.json": None, f"{STEM}.md": TWIN}


def test_one_that_cannot_be_read_lets_markdown_count(tmp_path: Path) -> None:
    ledger = Ledger(None)
    write(tmp_path / f"g/reports/{STEM}.json", "{", 1761640000)
    write(tmp_path / f"g/reports/{STEM}.md", MARKDOWN, 1761640000)
    land(Root(tmp_path), ledger, now=NOW)
    assert landed(tmp_path)[f"{STEM}.md"] is None
    write(tmp_path / f"g/reports/{STEM}.json", json.dumps(JSON), 1761640060)
    land(Root(tmp_path), ledger, now=NOW, historical=True)
    assert landed(tmp_path) == {f"{STEM}.json": None, f"{STEM}.md": TWIN}
