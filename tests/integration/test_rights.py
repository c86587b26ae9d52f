"""Whatever holds raw text is the owner's alone, under any umask, killed or not."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest.root import PROJECT
from tests import faults
from tests.support import clean_environment, unmeasured

DAY = "2025-10-28"
RAW = "raw-Text-Of-A-Reject"
# What hides itself behind a module's name: dbt with something done to it.
KILLED = """
import os, signal, sys
from exporter.publish.dbt_plugin import Plugin
Plugin._publish = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
from dbt.cli.main import cli
cli(sys.argv[1:])
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A root with a reject, landed."""
    root = tmp_path / "root"
    lines = [{"query": RAW}, {"ts": f"{DAY}T01:00:00Z", "query": "x"}]
    text = "".join(json.dumps(line) + "\n" for line in lines)
    log = faults.write(root / "g/reports/query_perf.jsonl", text)
    os.utime(log, (1761696000, 1761696000))
    return root


def run(
    root: Path, umask: int, *command: str | Path
) -> subprocess.CompletedProcess[str]:
    """A command as somebody with this umask runs it, in a folder of its own."""
    here = root.parent
    more = {
        "OPS_ATOMIC_ROOT": str(root),
        "OPS_ATOMIC_DUCKDB": str(here / "ops_atomic.duckdb"),
        "DBT_TARGET_PATH": str(here / "target"),
        "DBT_LOG_PATH": str(here / "logs"),
    }
    return subprocess.run(
        command,
        cwd=PROJECT,
        env=unmeasured(clean_environment(here)) | more,
        umask=umask,
        capture_output=True,
        text=True,
        check=False,
    )


def ingest(root: Path, umask: int) -> None:
    tool = Path(sys.executable).with_name("ops-atomic")
    run(root, umask, tool, "ingest", "--root", root)


def open_to_others(*tops: Path) -> Iterator[tuple[Path, str]]:
    """What at or below some places others may look into."""
    for top in tops:
        for path in [top, *top.rglob("*")]:
            mode = stat.S_IMODE(path.stat().st_mode)
            if mode & 0o077:
                yield path, oct(mode)


def places(root: Path) -> list[Path]:
    """Where raw text may lie."""
    here = root.parent
    return [
        *here.glob("ops_atomic.duckdb*"), here / "target", here / "logs",
        root / faults.STATE, *root.glob("g/analytics/rejected_records"),
    ]  # fmt: skip


def test_plain_dbt_leaves_nothing_raw_to_others(root: Path) -> None:
    ingest(root, 0)
    built = run(root, 0, Path(sys.executable).with_name("dbt"), "build")
    assert built.returncode == 0, built.stdout
    assert faults.rows(root, faults.REJECTS)
    assert dict(open_to_others(*places(root))) == {}
    check_published(root, 0)


def test_a_killed_dbt_leaves_nothing_raw_to_others(root: Path) -> None:
    ingest(root, 0)
    killed = run(root, 0, sys.executable, "-c", KILLED, "run", "-s", "rejected_records")
    assert killed.returncode == -signal.SIGKILL, killed.stdout
    wal = root.parent / "ops_atomic.duckdb.wal"
    assert wal.exists()
    assert dict(open_to_others(*places(root))) == {}


def test_what_an_older_dbt_left_open_is_closed(root: Path) -> None:
    ingest(root, 0o022)
    for name in ("target/run_results.json", "target/run/x.sql", "logs/dbt.log.1"):
        faults.write(root.parent / name, RAW).chmod(0o644)
    root.joinpath(faults.STATE).chmod(0o755)
    dbt = Path(sys.executable).with_name("dbt")
    run(root, 0o022, dbt, "run", "-s", "query_perf")
    assert dict(open_to_others(*places(root))) == {}
    check_published(root, 0o022)


def check_published(root: Path, umask: int) -> None:
    """What is meant to be read is what the user lets others do."""
    published = sorted(root.rglob("query_perf_*.parquet"))
    assert published
    for path in published:
        assert stat.S_IMODE(path.stat().st_mode) == 0o666 & ~umask
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o777 & ~umask
