"""Heartbeats as JSON are published like those in Markdown, and once."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests import faults
from tests.faults import BEATS, CHECKS, REJECTS, are_datasets_valid, write
from tests.faults import export_datasets as export

COUNTS = "g/analytics/landed_counts/*.parquet"
FOLDER = "g/reports/ops_atomic"
CHECK = {"group": "Redis", "name": "Status", "status": "ok", "message": "responds"}


def beat(status: str = "ok") -> str:
    said = {"timestamp": "2025-10-28T10:00:00Z", "status": status, "duration_ms": 7}
    return json.dumps({**said, "checks": [CHECK]})


def markdown(at: str) -> str:
    return faults.heartbeat(f"2025-10-28T{at.replace('-', ':')}Z")


def land(root: Path, files: dict[str, str], is_rotated: bool = False) -> None:
    for name, text in files.items():
        write(root / FOLDER / name, text, 1761645900)
    if is_rotated:
        faults.rotate(root, [f"{FOLDER}/{name}" for name in files])


def test_json_counts_once_live_and_from_bundles(tmp_path: Path) -> None:
    both = {
        "heartbeat_2025-10-28_10-00-00.json": beat("error"),
        "heartbeat_2025-10-28_10-00-00.md": markdown("10-00-00"),
    }
    files = {**both, "heartbeat_2025-10-28_10-05-00.md": markdown("10-05-00")}
    for place in ("live", "rotated"):
        root = tmp_path / place
        land(root, files, place == "rotated")
        export(root)
        assert_json_counts(root)
        assert are_datasets_valid(root)
        assert not export(root).paths("exported")


def assert_json_counts(root: Path, is_counted: bool = True) -> None:
    assert sorted(faults.rows(root, BEATS, "filename, status, redis_status")) == [
        ("heartbeat_2025-10-28_10-00-00.json", "error", "ok"),
        ("heartbeat_2025-10-28_10-05-00.md", "ok", "ok"),
    ]
    assert ("Redis", "Status", "ok", "responds") in faults.rows(
        root, CHECKS, "check_group, check_name, status, message"
    )
    assert not faults.rows(root, REJECTS, "source_file")
    if not is_counted:
        return
    counts = faults.rows(root, COUNTS, "dataset, landed, published, duplicates")
    assert sorted(counts) == [("heartbeat_checks", 2, 2, 0), ("ops_atomic", 3, 2, 1)]


@pytest.mark.parametrize(("first", "is_rotated"), [("json", True), ("md", False)])
def test_the_json_counts_whichever_comes_first(
    tmp_path: Path, first: str, is_rotated: bool
) -> None:
    both = {
        "heartbeat_2025-10-28_10-00-00.json": beat("error"),
        "heartbeat_2025-10-28_10-00-00.md": markdown("10-00-00"),
    }
    other = {"heartbeat_2025-10-28_10-05-00.md": markdown("10-05-00")}
    early = {name: text for name, text in both.items() if name.endswith(first)}
    land(tmp_path, early | other, is_rotated)
    export(tmp_path)
    land(tmp_path, {name: both[name] for name in both.keys() - early.keys()})
    export(tmp_path)
    assert_json_counts(tmp_path)


def test_markdown_counts_where_its_json_cannot_be_read(tmp_path: Path) -> None:
    name = "heartbeat_2025-10-28_10-00-00"
    land(tmp_path, {f"{name}.md": markdown("10-00-00"), f"{name}.json": "{"})
    export(tmp_path)
    assert faults.rows(tmp_path, BEATS, "filename") == [(f"{name}.md",)]
    assert faults.rows(tmp_path, REJECTS, "source_file") == [(f"{name}.json",)]
    assert not faults.conservation(tmp_path)


@pytest.mark.parametrize("is_json_lost", [True, False])
def test_kept_rows_of_a_lost_heartbeat_double_no_twin(
    is_json_lost: bool, tmp_path: Path
) -> None:
    lost = {"heartbeat_2025-10-28_10-00-00.json": beat("error")}
    twin = {"heartbeat_2025-10-28_10-00-00.md": markdown("10-00-00")}
    if not is_json_lost:
        lost, twin = twin, lost
    other = "heartbeat_2025-10-28_10-05-00.md"
    land(tmp_path, {**lost, other: markdown("10-05-00")})
    export(tmp_path)
    shutil.rmtree(tmp_path / faults.LANDING / "heartbeats")
    for name in (*lost, other):
        (tmp_path / FOLDER / name).unlink()
    land(tmp_path, twin)
    done = export(tmp_path)
    assert "row(s) are kept that the landing no longer holds" in done.warnings
    assert_json_counts(tmp_path, is_counted=False)
    assert len(faults.rows(tmp_path, CHECKS)) == 2
    assert are_datasets_valid(tmp_path)
    assert not export(tmp_path).paths("exported")
    # What is kept stays so when more comes.
    more = "heartbeat_2025-10-28_10-10-00.md"
    land(tmp_path, {more: markdown("10-10-00")})
    export(tmp_path)
    assert len(faults.rows(tmp_path, BEATS)) == len(faults.rows(tmp_path, CHECKS)) == 3
    assert are_datasets_valid(tmp_path)
