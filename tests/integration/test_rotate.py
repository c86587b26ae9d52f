"""`ops-atomic rotate`: what is landed moves, and a kill at any moment loses nothing."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import tarfile
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from exporter.cli.main import main
from exporter.jobs import rotate as module
from exporter.jobs.rotate import rotate
from exporter.runtime.lock import give_back_lock, hold_lock
from ingest import files
from ingest.root import Root
from tests import faults
from tests.faults import BEATS, export, write

FOLDER = "g/reports/ops_atomic"
CSV = (
    "timestamp,query_hash,query_type,execution_time_ms\n"
    "2025-10-28 01:00:00,a,SELECT,1\n"
)
NOW = datetime(2025, 10, 30, 12)
OLD_S = 1_761_645_900  # 2025-10-28


def beat(root: Path, at: datetime, mtime: float | None = None) -> str:
    path = f"{FOLDER}/heartbeat_{at:%Y-%m-%d_%H-%M-%S}.md"
    text = faults.heartbeat(f"{at:%Y-%m-%dT%H:%M:%SZ}")
    write(root / path, text, int(mtime or at.replace(tzinfo=UTC).timestamp()))
    return path


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "root"
    for hour in range(20):
        beat(root, datetime(2025, 10, 28, hour))
    beat(root, NOW - timedelta(hours=23))
    write(root / "g/reports/query_perf_daily_20251028.csv", CSV, OLD_S)
    write(root / "g/reports/query_perf.jsonl", '{"query": "a"}\n', OLD_S)
    write(root / "g/reports/index_advisor_report.json", "{}", OLD_S)
    return root


def live(root: Path) -> set[str]:
    reports = root / "g/reports"
    found = {*reports.glob("*"), *reports.glob("ops_atomic/*")}
    return {path.relative_to(root).as_posix() for path in found if path.is_file()}


def bundled(root: Path) -> list[str]:
    names: list[str] = []
    for path in sorted((root / "g/reports/archive").glob("*.tar.gz")):
        with tarfile.open(path) as tar:
            names += tar.getnames()
    return names


def test_only_what_is_landed_and_old_moves(root: Path) -> None:
    everything = live(root)
    assert rotate(Root(root), NOW).not_landed == 21
    assert live(root) == everything
    export(root)
    late = beat(root, datetime(2025, 10, 28, 21))
    before = faults.published(root)
    done = rotate(Root(root), NOW)
    assert (done.moved, done.not_landed, done.changed) == (21, 1, 0)
    assert late in live(root)
    assert {path.rpartition("/")[2] for path in everything & live(root)} == {
        "heartbeat_2025-10-29_13-00-00.md",
        "query_perf.jsonl",
        "index_advisor_report.json",
    }
    assert sorted(bundled(root)) == sorted(everything - live(root))
    (line,) = (root / "g/logs/_rotate_reports.log").read_text().splitlines()
    assert line.startswith("[2025-10-30T12:00:00Z] rotate:archived count=21 file=")
    (root / late).unlink()
    assert not export(root).paths("exported")
    assert faults.published(root) == before
    assert not faults.conservation(root)
    assert rotate(Root(root), NOW).bundles == []


def test_what_is_bundled_is_enough_to_publish_all_again(root: Path) -> None:
    export(root)
    rows = sorted(faults.rows(root, BEATS))
    rotate(Root(root), NOW)
    files.remove_tree(root / "g/analytics")
    export(root)
    assert sorted(faults.rows(root, BEATS)) == rows


@pytest.mark.parametrize("harm", ["lost", "changed"])
def test_a_landing_that_is_not_as_the_ledger_knows_it_keeps_originals(
    harm: str, root: Path
) -> None:
    export(root)
    for part in (root / "g/analytics/state/landing").rglob("*day=2025-10-28/*.gz"):
        if harm == "lost":
            part.unlink()
        else:
            os.utime(part, (1, 1))
    done = rotate(Root(root), NOW)
    assert (done.moved, done.not_landed) == (0, 21)


def test_one_that_changes_stays(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    export(root)
    path = root / FOLDER / "heartbeat_2025-10-28_05-00-00.md"
    move = files.move_into_place

    def move_late(made: Path, place: Path) -> None:
        move(made, place)
        if place.name.startswith("reports_"):
            path.write_text("written to meanwhile")

    monkeypatch.setattr(files, "move_into_place", move_late)
    done = rotate(Root(root), NOW)
    assert (done.moved, done.changed) == (20, 1)
    assert path.read_text() == "written to meanwhile"


def test_a_bundle_that_is_not_as_it_should_be_costs_nothing(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    export(root)
    before = live(root)
    sync = files.sync

    def damage(path: Path) -> None:
        if path.name.endswith(".new"):
            data = bytearray(path.read_bytes())
            data[len(data) // 2] ^= 0xFF
            path.write_bytes(data)
        sync(path)

    monkeypatch.setattr(files, "sync", damage)
    with pytest.raises(OSError, match="reports_20251030_120000"):
        rotate(Root(root), NOW)
    assert live(root) == before
    assert not list((root / "g/reports/archive").iterdir())


def test_many_go_into_several_bundles(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    export(root)
    monkeypatch.setattr(module, "MOST_MEMBERS", 8)
    done = rotate(Root(root), NOW)
    assert [count for _, count in done.bundles] == [8, 8, 5]
    assert len({path for path, _ in done.bundles}) == 3


def killed_at(step: int, root: Path) -> bool:
    """Rotate in a process that is killed at a step; whether it came that far."""
    pid = os.fork()
    if pid == 0:
        steps = 0

        def kill_around(call: Callable[..., Any]) -> Callable[..., Any]:
            def called(*arguments: Any, **more: Any) -> Any:
                nonlocal steps
                for moment in ("before", "after"):
                    if steps == step:
                        os.kill(os.getpid(), signal.SIGKILL)
                    steps += 1
                    if moment == "before":
                        result = call(*arguments, **more)
                return result

            return called

        for owner, name in (
            (module, "_add"), (module, "_prove"), (module, "_remove"),
            (module, "_log"), (files, "sync"), (os, "replace"),
        ):  # fmt: skip
            setattr(owner, name, kill_around(getattr(owner, name)))
        with contextlib.suppress(BaseException):
            rotate(Root(root), NOW)
            os._exit(0)
        os._exit(3)
    _, status = os.waitpid(pid, 0)
    assert os.waitstatus_to_exitcode(status) in (0, -signal.SIGKILL)
    return os.WIFSIGNALED(status)


@contextlib.contextmanager
def writer(root: Path, written: list[str]) -> Iterator[None]:
    """New heartbeats, all the time."""
    stop = threading.Event()

    def write_on() -> None:
        at = NOW - timedelta(hours=20)
        while not stop.is_set():
            at += timedelta(seconds=5)
            written.append(beat(root, at))
            time.sleep(0.01)

    thread = threading.Thread(target=write_on)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def test_kills_lose_nothing_while_others_write(root: Path) -> None:
    export(root)
    everything = live(root)
    written: list[str] = []
    step = kills = 0
    with writer(root, written):
        while killed_at(step, root):
            kills += 1
            held = live(root) | set(bundled(root))
            assert everything <= held, step
            # Far apart in the many steps of adding, close where files move.
            step += 1 if step < 4 else 3
        assert kills > 5
    assert rotate(Root(root), NOW).moved == 0
    assert everything | set(written) <= live(root) | set(bundled(root))
    assert not list((root / "g/reports/archive").glob(".*"))
    export(root)
    names = sorted(name for (name,) in faults.rows(root, BEATS, "filename"))
    beats = {p.rpartition("/")[2] for p in everything | set(written) if "beat" in p}
    assert names == sorted(beats)
    assert not faults.conservation(root)


def test_the_command_says_what_it_did_and_waits_its_turn(tmp_path: Path) -> None:
    at = datetime.now(UTC).replace(tzinfo=None) - timedelta(days=3)
    path = beat(tmp_path, at)
    assert "1 old report stays: not landed yet" in call(tmp_path).output
    export(tmp_path)
    dry = call(tmp_path, "--dry-run")
    assert "→ Would move 1 report" in dry.output
    assert (tmp_path / path).exists()
    told = json.loads(call(tmp_path, "--json").output)
    assert (told["status"], told["moved"]) == ("ok", 1)
    assert told["bundles"][0]["path"].startswith("g/reports/archive/reports_")
    assert "⊘ Nothing to rotate" in call(tmp_path).output


def call(root: Path, *arguments: str) -> Any:
    done = CliRunner().invoke(main, ["rotate", "--root", str(root), *arguments])
    assert done.exit_code == 0, done.output
    return done


def test_it_does_not_run_beside_an_export(tmp_path: Path) -> None:
    (tmp_path / "g").mkdir()
    read, write_end = os.pipe()
    pid = os.fork()
    if pid == 0:
        hold_lock(Root(tmp_path), "ops-atomic export")
        os.write(write_end, b"x")
        signal.pause()
    try:
        os.read(read, 1)
        done = CliRunner().invoke(main, ["rotate", "--root", str(tmp_path)])
        assert done.exit_code == 75
        assert "another run holds the lock: ops-atomic export" in done.output
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        give_back_lock(Root(tmp_path))
