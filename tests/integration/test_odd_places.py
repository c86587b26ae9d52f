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
from typing import Any

import pytest

from exporter.reporting.history import last_run
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


# A service that takes nothing, so that there are notices.
SILENT = {"OPS_ATOMIC_NOTIFY": "json://127.0.0.1:9"}


def run(root: Path, *arguments: str, **others: Any) -> subprocess.CompletedProcess[str]:
    """An export that must end: a pipe would hold it up for ever."""
    settings: dict[str, Any] = {
        "env": unmeasured(dict(os.environ)) | SILENT,
        "stdin": subprocess.DEVNULL,
        "stdout": subprocess.PIPE,
        "stderr": subprocess.PIPE,
    }
    return subprocess.run(
        [OPS_ATOMIC, "export", "--root", root, *arguments],
        text=True,
        check=False,
        timeout=300,
        **settings | others,
    )


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


FULL = Path("/dev/full")
needs_full = pytest.mark.skipif(not FULL.exists(), reason="no /dev/full here")


def assert_all_is_done(root: Path, before: dict[str, bytes]) -> None:
    assert faults.contents(faults.published(root)) == before
    assert (root / SUMMARY).is_file()
    assert "export:run status=ok" in (root / LOG).read_text()


@needs_full
def test_what_cannot_be_printed_is_published_all_the_same(root: Path) -> None:
    before = faults.contents(faults.published(root))
    for path in root.glob(faults.BEATS):
        path.unlink()
    (root / LOG).unlink()
    with FULL.open("w") as full:
        done = run(root, stdout=full)
    assert_all_is_done(root, before)
    assert done.returncode == 0
    assert done.stderr.count("standard output takes nothing") == 1
    assert "Exception ignored" not in done.stderr


@needs_full
def test_nothing_of_what_is_said_can_be_printed(root: Path) -> None:
    before = faults.contents(faults.published(root))
    with FULL.open("w") as full:
        done = run(root, stdout=full, stderr=full)
    assert_all_is_done(root, before)
    assert done.returncode == 0


def test_closed_streams(root: Path) -> None:
    """The next file that is opened does not take their place."""
    before = faults.contents(faults.published(root))
    ledger = root / "g/analytics/state/ledger.sqlite"

    def close() -> None:
        for number in (0, 1, 2):
            os.close(number)

    assert run(root, preexec_fn=close).returncode == 0
    assert_all_is_done(root, before)
    assert b"Export" not in ledger.read_bytes()
    assert faults.is_valid(root)


def test_a_reader_that_has_gone(root: Path) -> None:
    before = faults.contents(faults.published(root))
    reader, writer = os.pipe()
    os.close(reader)
    done = run(root, "--verbose", stdout=writer)
    os.close(writer)
    assert_all_is_done(root, before)
    assert done.returncode == 0
    assert "Broken pipe" in done.stderr


def test_a_result_that_was_asked_for_and_cannot_be_printed(root: Path) -> None:
    before = faults.contents(faults.published(root))
    done = run(root, "--json", preexec_fn=lambda: os.close(1))
    assert_all_is_done(root, before)
    assert done.returncode == 1
    assert "the result is not printed" in done.stderr


def test_a_terminal_without_our_letters(root: Path) -> None:
    done = run(root, env={**unmeasured(dict(os.environ)), "PYTHONIOENCODING": "ascii"})
    assert done.returncode == 0
    assert "Export complete" in done.stdout
