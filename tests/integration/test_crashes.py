"""Killed at any moment, a run leaves whole files, and the next one finishes."""

from __future__ import annotations

import contextlib
import gzip
import os
import random
import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from exporter.contracts.datasets import load_datasets
from exporter.contracts.marts import load_marts
from exporter.publish.existing import named_paths
from exporter.publish.published import read_footers, unreadable_files
from ingest.root import EXAMPLE_ROOT
from tests import faults
from tests.forker import Forker, forker
from tests.support import copy_root


@pytest.fixture(scope="module", name="forker")
def started_forker() -> Iterator[Forker]:
    with forker(dict(os.environ)) as made:
        yield made


@pytest.fixture(scope="module")
def seed() -> int:
    number = random.SystemRandom().randrange(1 << 32)
    print(f"seed {number}")
    return int(os.environ.get("OPS_ATOMIC_TEST_SEED", number))


def assert_whole(root: Path) -> None:
    """All files under final names are complete and readable to their end."""
    for table in (*load_datasets().values(), *load_marts().values()):
        named = named_paths(faults.as_root(root), table)
        paths = [path for _, path in named if (root / path).exists()]
        footers = read_footers(faults.as_root(root), paths)
        assert footers.keys() == set(paths)
        assert not unreadable_files(faults.as_root(root), paths)
    for path in (root / faults.LANDING).rglob("*.gz"):
        assert gzip.decompress(path.read_bytes())


def marts_of_days(root: Path) -> dict[str, bytes]:
    """Files of marts that hang on the inputs alone: their days are long over."""
    files = root.glob("g/analytics/marts/*/*.parquet")
    return {path.name: path.read_bytes() for path in files}


def await_lock(root: Path, pid: int) -> None:
    """Wait until a process has begun its run."""
    lock = root / faults.STATE / "lock"
    limit = time.monotonic() + 120
    while f'"pid": {pid},' not in lock.read_text("utf-8"):
        assert time.monotonic() < limit
        time.sleep(0.01)


def kill_often(
    forker: Forker, root: Path, rng: random.Random, arguments: list[str], times: int
) -> None:
    """Let a command run once, then kill it at moments of that duration."""
    fresh = root.with_name(f"{root.name}-fresh")
    shutil.copytree(root, fresh, symlinks=True)
    begun = time.monotonic()
    assert forker.run("export", "--root", str(fresh), *arguments) == 0, forker.said()
    duration = time.monotonic() - begun
    for number in range(times):
        # One of each slice of the run, so that no phase is left out.
        delay = duration * (number + rng.random()) / times
        pid = forker.start("export", "--root", str(root), *arguments)
        time.sleep(delay)
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        assert forker.wait() in (-signal.SIGKILL, 0), forker.said()
        assert_whole(root)


@pytest.mark.parametrize("arguments", [[], ["--force"]], ids=["new", "force"])
def test_killed_at_any_moment(
    arguments: list[str],
    forker: Forker,
    root: Path,
    tmp_path: Path,
    seed: int,
) -> None:
    rng = random.Random(f"{seed}{arguments}")
    wanted = faults.contents(faults.published(root))
    marts = marts_of_days(root)
    store = faults.landed(root)
    target = root
    if not arguments:
        # Everything is new.
        target = copy_root(EXAMPLE_ROOT, tmp_path / "02luka")
    kill_often(forker, target, rng, arguments, 11)

    done = forker.run("export", "--root", str(target), *arguments)
    assert done == 0, (seed, forker.said())
    assert faults.contents(faults.published(target)) == wanted, seed
    assert marts_of_days(target) == marts != {}, seed
    assert faults.landed(target) == store, seed
    assert not faults.leftovers(target), seed
    assert faults.is_valid(target)
    assert not faults.conservation(target)
    assert not faults.export(target).paths("exported")


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)]
)
def test_signals_stop_cleanly(
    number: int, code: int, forker: Forker, root: Path, seed: int
) -> None:
    before = faults.contents(faults.published(root))
    rng = random.Random(f"{seed}{number}")
    for _ in range(3):
        pid = forker.start("export", "--root", str(root), "--force")
        await_lock(root, pid)
        time.sleep(1.2 * rng.random())
        os.kill(pid, number)
        ended = forker.wait()
        # It may have come in the last moments, when nothing is stopped any more.
        assert ended == code or "Export complete" in forker.said(), forker.said()
        assert "Traceback" not in forker.said()
        assert not faults.leftovers(root)
        assert faults.contents(faults.published(root)) == before
        assert faults.is_valid(root)


def test_a_stop_while_dbt_takes_a_lock_hangs_nothing(
    forker: Forker, root: Path
) -> None:
    before = faults.contents(faults.published(root))
    forker.start(
        "export", "--root", str(root), "--force",
        prepare=(
            "tests.stop_seam", "stop_where_dbt_takes_locks",
            {"number": signal.SIGTERM},
        ),
    )  # fmt: skip
    assert forker.wait() == 143, forker.said()
    assert "Traceback" not in forker.said()
    assert not faults.leftovers(root)
    assert faults.contents(faults.published(root)) == before
    assert faults.is_valid(root)


def test_files_that_are_made_when_a_stop_comes_are_not_moved(
    forker: Forker, tmp_path: Path
) -> None:
    root = copy_root(EXAMPLE_ROOT, tmp_path / "02luka")
    forker.start(
        "export", "--root", str(root),
        prepare=(
            "tests.stop_seam", "stop_where_files_are_made", {"number": signal.SIGTERM}
        ),
    )  # fmt: skip
    assert forker.wait() == 143, forker.said()
    assert "Traceback" not in forker.said()
    assert not faults.leftovers(root)
    assert not faults.published(root)
    assert faults.export(root).paths("exported")
    assert faults.is_valid(root)


def test_a_time_limit_stops_cleanly(forker: Forker, root: Path) -> None:
    before = faults.contents(faults.published(root))
    code = forker.run("export", "--root", str(root), "--force", "--timeout", "0.4")
    assert code == 1, forker.said()
    assert "stopped after 0.4 seconds" in forker.said()
    assert "Traceback" not in forker.said()
    assert not faults.leftovers(root)
    assert faults.contents(faults.published(root)) == before
    assert faults.is_valid(root)
