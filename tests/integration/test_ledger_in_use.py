"""Another program in the ledger: a run waits a while, can be stopped, and says so."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from exporter.runtime.lock import give_back_lock, hold_lock
from ingest.store import database
from tests import faults
from tests.faults import LEDGER, STATE, heartbeat, run, write

OPS_ATOMIC = Path(sys.executable).parent / "ops-atomic"
HOLD = (
    "import sqlite3, sys, time\n"
    "db = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
    "db.execute(sys.argv[2])\n"
    "db.execute('select count(*) from parts').fetchone()\n"
    "print('held', flush=True)\n"
    "time.sleep(600)\n"
)
BEAT = "g/reports/ops_atomic/heartbeat_2025-10-27_12-00-00.md"


@contextmanager
def in_use(root: Path, how: str) -> Iterator[None]:
    """Another process in a transaction on the ledger."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(root / LEDGER), how],
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout
        assert process.stdout.readline() == "held\n"
        try:
            yield
        finally:
            process.kill()


def is_locked(root: Path) -> bool:
    """Whether a run holds the lock; it is free once it has ended."""
    hold_lock(faults.as_root(root), "a test")
    give_back_lock(faults.as_root(root))
    return False


def start(root: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [OPS_ATOMIC, "export", "--root", root, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=dict(os.environ),
    )


@pytest.mark.parametrize("how", ["begin", "begin exclusive"])
def test_a_run_does_not_wait_for_ever(
    how: str, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "WAIT_SECONDS", 0.5)
    before = faults.published(root)
    write(root / BEAT, heartbeat("2025-10-27T12:00:00Z"))
    with in_use(root, how):
        done = faults.export(root, code=1)
        assert f"{LEDGER}: another program" in done.errors
        assert "close" in done.errors
        assert not is_locked(root)
        assert faults.published(root) == before
    assert faults.export(root).days("exported") == {"2025-10-27"}
    assert faults.is_valid(root)


def test_who_only_looks_is_not_told_of_damage(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "WAIT_SECONDS", 0.5)
    with in_use(root, "begin"):
        assert faults.is_valid(root), "two may look at once"
    before = faults.everything_raw(root)
    with in_use(root, "begin exclusive"):
        for command in (["validate"], ["export", "--dry-run"]):
            done = run(command[0], root, *command[1:])
            assert done.code == 1
            assert f"{LEDGER}: another program" in done.errors
    assert faults.everything_raw(root) == before


@pytest.mark.parametrize(
    ("arguments", "number", "code", "said"),
    [
        ([], signal.SIGTERM, 143, "stopped by SIGTERM"),
        ([], signal.SIGINT, 130, "stopped by SIGINT"),
        (["--timeout", "3"], None, 1, "stopped after 3 seconds"),
    ],
)
def test_a_waiting_run_can_be_stopped(
    arguments: list[str], number: int | None, code: int, said: str, root: Path
) -> None:
    write(root / BEAT, heartbeat("2025-10-27T12:00:00Z"))
    with in_use(root, "begin"):
        process = start(root, *arguments)
        if number is not None:
            # It waits as soon as another reader is kept out.
            while process.poll() is None and not is_kept_out(root):
                time.sleep(0.05)
            process.send_signal(number)
        output, _ = process.communicate(timeout=60)
        assert process.returncode == code, output
        assert said in output
        assert "Traceback" not in output
        assert not is_locked(root)
        assert not list((root / STATE / "staging").rglob("*"))
    faults.export(root)
    assert faults.is_valid(root)


def is_kept_out(root: Path) -> bool:
    """Whether a writer waits: it lets no more readers in."""
    look = f"{(root / LEDGER).as_uri()}?mode=ro"
    with closing(sqlite3.connect(look, uri=True, timeout=0)) as db:
        try:
            db.execute("select count(*) from parts").fetchone()
        except sqlite3.OperationalError:
            return True
    return False
