"""Pipes, devices and folders where the exporter keeps files of its own, and an
output that takes nothing: said in a line, and all the rest is done."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from exporter.history import last_run
from tests import faults
from tests.support import unmeasured

OPS_ATOMIC = Path(sys.executable).parent / "ops-atomic"
NOW = datetime.now(UTC)
LOG = "g/logs/parquet_export.log"
RUNS = f"g/analytics/state/runs/runs_{NOW:%Y%m}.ndjson"
SUMMARY = f"g/reports/parquet/parquet_export_summary_{NOW:%Y%m%d}.md"
LOCK = "g/analytics/state/lock"
TOLD = "g/analytics/state/notices.json"
NOTICE = "g/analytics/state/outbox/notice_1.json"
SENDING = "g/analytics/state/outbox/lock"


def run(root: Path) -> subprocess.CompletedProcess[str]:
    """An export that must end: a pipe would hold it up for ever."""
    return subprocess.run(
        [OPS_ATOMIC, "export", "--root", root],
        env=unmeasured(dict(os.environ)) | {"OPS_ATOMIC_NOTIFY": "json://127.0.0.1:9"},
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
        timeout=300,
    )  # fmt: skip


def link_to_device(path: Path) -> None:
    path.symlink_to("/dev/full")


PLACES: dict[str, Callable[[Path], None]] = {
    "pipe": os.mkfifo, "device": link_to_device, "folder": Path.mkdir,
}  # fmt: skip


def put_in_the_way(root: Path, name: str, kind: str) -> None:
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).unlink(missing_ok=True)
    PLACES[kind](root / name)


@pytest.mark.parametrize("kind", PLACES)
@pytest.mark.parametrize("name", [LOG, RUNS, TOLD, NOTICE, SENDING])
def test_something_else_lies_where_a_file_should(
    name: str, kind: str, root: Path
) -> None:
    for left in (LOG, SUMMARY):
        (root / left).unlink(missing_ok=True)
    put_in_the_way(root, name, kind)
    done = run(root)
    assert "Traceback" not in done.stderr
    assert (root / SUMMARY).is_file()
    assert (root / LOG).is_file() or name == LOG
    assert last_run(faults.as_root(root)) or name == RUNS
    if name in (LOG, RUNS):
        assert done.returncode == 1
        [line] = [x for x in done.stderr.splitlines() if Path(name).name in x]
        assert "move it a" in line


@pytest.mark.parametrize("kind", PLACES)
def test_something_else_lies_where_the_lock_should(kind: str, root: Path) -> None:
    put_in_the_way(root, LOCK, kind)
    done = run(root)
    assert done.returncode == 1
    assert "state/lock" in done.stderr
    assert "move it a" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_folder_lies_where_the_summary_should(root: Path) -> None:
    (root / LOG).unlink(missing_ok=True)
    put_in_the_way(root, SUMMARY, "folder")
    done = run(root)
    assert done.returncode == 1
    assert "move it aside" in done.stderr
    assert (root / LOG).is_file()


ODD_RECORDS = [
    "{}", "[]", "1", '"x"', "null", "[" * 100_000, '{"started_at": 5}',
    json.dumps({"started_at": f"{NOW:%Y-%m-%dT%H:%M:%SZ}"}),
    json.dumps(
        {
            "started_at": f"{NOW:%Y-%m-%dT%H:%M:%SZ}", "status": "\ud800",
            "duration_s": 1, "exported_files": 1, "skipped_files": 1,
            "failed_files": 1, "datasets": [], "warnings": [], "errors": [],
        }
    ),
    json.dumps(
        {
            "started_at": f"{NOW:%Y-%m-%dT%H:%M:%SZ}", "status": "ok",
            "duration_s": 10**400, "exported_files": 1, "skipped_files": 1,
            "failed_files": 1, "datasets": [1], "warnings": 7, "errors": {},
        }
    ),
]  # fmt: skip


def test_records_of_another_shape_are_passed_over(root: Path) -> None:
    faults.write(root / RUNS, "\n".join(ODD_RECORDS))
    done = run(root)
    assert done.returncode == 0, done.stderr
    assert "| Runs of the day | 1 |" in (root / SUMMARY).read_text()
    found = last_run(faults.as_root(root))
    assert found is not None
    assert found["status"] == "ok"
