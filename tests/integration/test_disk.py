"""Full disks, missing rights, things in the way: a clear error, nothing lost."""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ingest.root import EXAMPLE_ROOT
from tests import faults
from tests.support import copy_root, unmeasured

OPS_ATOMIC = Path(sys.executable).parent / "ops-atomic"
OTHER_DAY = "g/analytics/ops_atomic_20251028.parquet"


def as_user(
    root: Path, *arguments: str, setup: Callable[[], None] | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [OPS_ATOMIC, *arguments, "--root", root],
        # Coverage could not write its own file there, and would say so.
        env=unmeasured(dict(os.environ)),
        text=True,
        capture_output=True,
        check=False,
        preexec_fn=setup,
    )


def assert_clear(done: subprocess.CompletedProcess[str], *parts: str) -> None:
    said = done.stdout + done.stderr
    assert done.returncode == 1, said
    assert "Traceback" not in said, said
    for part in parts:
        assert part in said, said


def mounted(path: Path, *options: str) -> None:
    path.mkdir(exist_ok=True)
    done = subprocess.run(["mount", *options, path], capture_output=True, check=False)
    if done.returncode:
        pytest.skip(f"cannot mount: {done.stderr.decode().strip()}")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 8 MB."""
    path = tmp_path / "disk"
    mounted(path, "-t", "tmpfs", "-o", "size=8m", "tmpfs")
    yield path
    subprocess.run(["umount", "-l", path], check=True)


def fill(path: Path) -> Path:
    """A file that takes all the space there is."""
    with contextlib.suppress(OSError), path.open("wb", buffering=0) as stream:
        while True:
            stream.write(b"x" * 4096)
    return path


def test_a_full_disk(small_disk: Path, root: Path) -> None:
    target = faults.copy(root, small_disk / "root")
    before = faults.published(target)
    wanted = faults.contents(before)
    filler = small_disk / "filler"
    fill(filler)
    done = as_user(target, "export", "--force")
    assert_clear(done, "No space left on device", "free some space", str(target))
    assert faults.contents(faults.published(target)) == wanted
    # Room for some files, not for all.
    os.truncate(filler, filler.stat().st_size - (40 << 10))
    done = as_user(target, "export", "--force")
    assert done.returncode in (0, 1)
    assert "Traceback" not in done.stdout + done.stderr
    assert faults.contents(faults.published(target)) == wanted
    filler.unlink()
    assert as_user(target, "export").returncode == 0
    assert faults.contents(faults.published(target)) == wanted
    assert faults.is_valid(target)
    assert not faults.leftovers(target)


def test_a_full_disk_while_landing(small_disk: Path, tmp_path: Path) -> None:
    target = copy_root(EXAMPLE_ROOT, small_disk / "root")
    filler = fill(small_disk / "filler")
    os.truncate(filler, filler.stat().st_size - (60 << 10))
    done = as_user(target, "ingest")
    assert_clear(done, "No space left on device", "free some space", str(target))
    assert not [*target.rglob("*-journal")]  # what was begun is taken back
    (small_disk / "filler").unlink()
    assert as_user(target, "ingest").returncode == 0
    whole = copy_root(EXAMPLE_ROOT, tmp_path / "whole")
    assert as_user(whole, "ingest").returncode == 0
    assert faults.landed(target) == faults.landed(whole)


def test_a_limit_on_file_sizes(root: Path) -> None:
    before = faults.contents(faults.published(root))

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000))

    done = as_user(root, "export", "--force", setup=limit)
    assert_clear(done)
    assert faults.contents(faults.published(root)) == before
    faults.export(root)
    assert faults.contents(faults.published(root)) == before
    assert faults.is_valid(root)
    assert not faults.leftovers(root)


def test_an_output_folder_that_cannot_be_written(root: Path) -> None:
    before = faults.published(root)
    folder = root / "knowledge" / "optimize" / "parquet"
    mounted(folder, "-t", "tmpfs", "-o", "ro", "tmpfs")
    try:
        done = as_user(root, "export")
        assert_clear(done, "knowledge/optimize/parquet", "make that file system")
        assert not faults.leftovers(root)
        others = {n: f for n, f in before.items() if n.startswith("g/")}
        assert faults.published(root) == others
    finally:
        subprocess.run(["umount", "-l", folder], check=True)
    assert not faults.export(root).paths("exported")
    assert faults.published(root) == before


def without_override() -> None:
    """Let the rights of files count for root as they do for all others."""
    if os.geteuid() == 0:
        for capability in (1, 2):  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
            ctypes.CDLL(None).prctl(24, capability, 0, 0, 0)  # PR_CAPBSET_DROP


def test_without_rights(root: Path) -> None:
    if sys.platform != "linux" and os.geteuid() == 0:
        pytest.skip("root is never refused here")
    before = faults.contents(faults.published(root))
    beat = next(root.glob("g/reports/**/heartbeat_*.md"))
    late = faults.write(
        beat.with_name("heartbeat_2025-10-27_12-34-56.md"),
        faults.heartbeat("2025-10-27T12:34:56Z"),
    )
    late.chmod(0)
    csv = root / "g/reports/query_perf_daily_20251020.csv"
    faults.write(csv, faults.query_csv("2025-10-20", 3)).chmod(0)
    closed = root / "g/reports/closed"
    closed.mkdir(mode=0)

    done = as_user(root, "export", setup=without_override)
    for name in (late.name, csv.name, "g/reports/closed"):
        assert_clear(done, name, "give this user the right")
    assert faults.contents(faults.published(root)) == before
    for path in (late, csv, closed):
        path.chmod(0o755)

    (root / OTHER_DAY).unlink()
    (root / "g/analytics").chmod(0o555)
    done = as_user(root, "export", setup=without_override)
    assert_clear(done, "g/analytics/ops_atomic_", "give this user the right")
    assert not faults.leftovers(root)
    (root / "g/analytics").chmod(0o755)

    (root / faults.LANDING / "query_rows").chmod(0o555)
    faults.write(csv, faults.query_csv("2025-10-19", 3))
    csv.rename(csv.with_name("query_perf_daily_20251019.csv"))
    done = as_user(root, "ingest", setup=without_override)
    assert_clear(done, "landing/query_rows", "give this user the right")
    (root / faults.LANDING / "query_rows").chmod(0o755)

    faults.export(root)
    assert faults.is_valid(root)
    days = {row[0] for row in faults.rows(root, faults.QUERIES, "source_file")}
    assert {"query_perf_daily_20251019.csv", "query_perf_daily_20251020.csv"} <= days


def test_a_file_where_a_folder_should_be(tmp_path: Path) -> None:
    root = copy_root(EXAMPLE_ROOT, tmp_path / "root")
    faults.write(root / "g/analytics/heartbeat_checks", "in the way")
    done = as_user(root, "export")
    assert_clear(done, "g/analytics/heartbeat_checks", "in the way of a folder")
    assert faults.rows(root, faults.BEATS), "the others go on"
    (root / "g/analytics/heartbeat_checks").unlink()
    faults.export(root)
    assert faults.is_valid(root)


def test_a_file_where_all_output_should_be(tmp_path: Path) -> None:
    root = copy_root(EXAMPLE_ROOT, tmp_path / "root")
    (root / "g" / "analytics").write_text("in the way")
    assert_clear(as_user(root, "export"), "g/analytics", "in the way of a folder")
    assert (root / "g" / "analytics").read_text() == "in the way"


def test_a_folder_where_a_file_should_be(root: Path) -> None:
    (root / OTHER_DAY).unlink()
    (root / OTHER_DAY / "kept").mkdir(parents=True)
    done = as_user(root, "export")
    assert_clear(done, OTHER_DAY, "in the way of a file")
    assert (root / OTHER_DAY / "kept").is_dir()
    assert not faults.leftovers(root)
