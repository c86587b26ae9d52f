"""Two at once: one waits or gives way, and nothing is corrupted."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from exporter.runtime.lock import Locked, give_back_lock, hold_lock
from tests import faults
from tests.support import clean_environment

HOLD = (
    "import sys, time\n"
    "from exporter.runtime.lock import hold_lock\n"
    "from ingest.root import Root\n"
    "from pathlib import Path\n"
    "hold_lock(Root(Path(sys.argv[1])), 'ops-atomic export')\n"
    "print('held', flush=True)\n"
    "time.sleep(600)\n"
)


@contextmanager
def holder(root: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the lock."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(root)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        assert process.stdout.readline() == "held\n"
        try:
            yield process
        finally:
            process.kill()


def test_a_second_run_says_who_holds_the_lock_since_when(root: Path) -> None:
    before = faults.published(root)
    with holder(root) as process:
        done = faults.export(root, "--force", code=75)
        note = json.loads((root / faults.STATE / "lock").read_text())
        assert f"(process {process.pid}) since {note['since']}" in done.errors
        assert faults.run("ingest", root).code == 75
        begun = time.monotonic()
        assert faults.export(root, "--force", "--wait", "0.5", code=75).code == 75
        assert time.monotonic() - begun >= 0.5
        assert faults.is_valid(root), "to look is always allowed"
        assert faults.export(root, "--dry-run").code == 0
    assert faults.published(root) == before


def test_a_waiting_run_goes_on_when_the_other_ends(root: Path) -> None:
    with holder(root) as process:
        threading.Timer(1, process.kill).start()
        faults.export(root, "--wait", "60")
    assert faults.is_valid(root)


def test_the_lock_of_a_dead_process_does_not_block(root: Path) -> None:
    with holder(root):
        pass
    assert "since" in (root / faults.STATE / "lock").read_text(), "its note is left"
    faults.export(root)


def test_plain_dbt_beside_others(root: Path, tmp_path: Path) -> None:
    """Three at once, all over the same days: one works, the others give way."""
    before = faults.contents(faults.published(root))
    for path in list(before)[::3]:
        (root / path).unlink()

    def start(name: str, *arguments: str) -> subprocess.Popen[str]:
        scratch = tmp_path / name
        scratch.mkdir()
        return subprocess.Popen(
            [Path(sys.executable).parent / arguments[0], *arguments[1:]],
            env=clean_environment(
                scratch,
                OPS_ATOMIC_ROOT=str(root),
                OPS_ATOMIC_DUCKDB=str(scratch / "ops_atomic.duckdb"),
            ),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    dbt = ("dbt", "--no-use-colors", "build", "--exclude", "resource_type:unit_test")
    runs = [
        start("a", *dbt, *_aside(tmp_path / "a")),
        start("b", *dbt, *_aside(tmp_path / "b")),
        start("c", "ops-atomic", "export", "--wait", "60"),
    ]
    said = [run.communicate()[0] for run in runs]
    codes = [run.returncode for run in runs]
    assert codes[2] == 0, said[2]
    for code, text in zip(codes, said[:2], strict=False):
        assert code == 0 or "another run holds the lock" in text, text
    assert faults.contents(faults.published(root)) == before
    assert faults.is_valid(root)
    faults.export(root)
    assert not faults.leftovers(root)


def _aside(scratch: Path) -> list[str]:
    return [
        "--target-path",
        str(scratch / "target"),
        "--log-path",
        str(scratch / "logs"),
    ]


def test_the_lock_within_a_process(tmp_path: Path) -> None:
    root = faults.as_root(tmp_path)
    hold_lock(root, "one")
    hold_lock(root, "again, as dbt does inside of a run")
    other = os.open(root.state / "lock", os.O_RDWR)
    with pytest.raises(BlockingIOError):
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
    give_back_lock(root)
    give_back_lock(root)
    fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
    with pytest.raises(Locked, match="a run that has just begun"):
        hold_lock(root, "second")
    os.close(other)
    assert (root.state / "lock").stat().st_mode & 0o777 == 0o600
    assert root.state.stat().st_mode & 0o777 == 0o700
