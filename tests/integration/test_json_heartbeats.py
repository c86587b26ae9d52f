"""Heartbeats as JSON are published like those in Markdown, and once."""

from __future__ import annotations

import json
from pathlib import Path

from tests import faults
from tests.faults import BEATS, CHECKS, REJECTS, export, is_valid, write

FOLDER = "g/reports/ops_atomic"
CHECK = {"group": "Redis", "name": "Status", "status": "ok", "message": "responds"}


def beat(status: str = "ok") -> str:
    said = {"timestamp": "2025-10-28T10:00:00Z", "status": status, "duration_ms": 7}
    return json.dumps({**said, "checks": [CHECK]})


def test_json_counts_once_live_and_from_bundles(tmp_path: Path) -> None:
    live, rotated = tmp_path / "live", tmp_path / "rotated"
    files = {
        f"{FOLDER}/heartbeat_2025-10-28_10-00-00.json": beat("error"),
        f"{FOLDER}/heartbeat_2025-10-28_10-00-00.md": faults.heartbeat(
            "2025-10-28T10:00:00Z"
        ),
        f"{FOLDER}/heartbeat_2025-10-28_10-05-00.md": faults.heartbeat(
            "2025-10-28T10:05:00Z"
        ),
    }
    for root in (live, rotated):
        for name, text in files.items():
            write(root / name, text, 1761645900)
    faults.rotate(rotated, files)
    for root in (live, rotated):
        export(root)
        assert sorted(faults.rows(root, BEATS, "filename, status, redis_status")) == [
            ("heartbeat_2025-10-28_10-00-00.json", "error", "ok"),
            ("heartbeat_2025-10-28_10-05-00.md", "ok", "ok"),
        ]
        assert ("Redis", "Status", "ok", "responds") in faults.rows(
            root, CHECKS, "check_group, check_name, status, message"
        )
        assert faults.rows(root, REJECTS, "source_file, reason") == [
            ("heartbeat_2025-10-28_10-00-00.md", "a heartbeat in JSON has this name")
        ]
        assert not faults.conservation(root)
        assert is_valid(root)
        assert not export(root).paths("exported")
