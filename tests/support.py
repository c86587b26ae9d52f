"""What tests share: copies of roots, and the commands run on them."""

from __future__ import annotations

import atexit
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import pytest

from ingest.root import PROJECT

# The caller's, before the tests get one of their own.
HOME = Path.home()
SAMPLES = PROJECT.parent / "shared" / "samples"
# What an export writes below a root, relative to it.
OUTPUTS = (
    "g/analytics",
    "g/logs",
    "g/reports/dashboard",
    "g/reports/parquet",
    "knowledge/optimize/parquet",
    "knowledge/optimize/PARQUET_README.md",
    "knowledge/optimize/parquet_schema.json",
    "knowledge/optimize/example_queries.sql",
)


def copy_root(source: Path, target: Path) -> Path:
    """A copy of a root's inputs, modification times included."""
    outputs = {source / name for name in OUTPUTS}

    def outputs_in(folder: str, names: list[str]) -> set[str]:
        return {name for name in names if Path(folder, name) in outputs}

    shutil.copytree(source, target, ignore=outputs_in)
    return target


def samples_or_skip() -> Path:
    """The recorded samples; skips the test where there are none."""
    if not SAMPLES.is_dir():
        pytest.skip("the recorded samples are not part of the project")
    return SAMPLES


def require_tool(name: str) -> str:
    """The path of a program that a test needs; skips the test without it.

    Where REQUIRE_TOOLS is set, as `.ci/run` does, its absence is a failure.
    """
    path = shutil.which(name)
    if path is None and os.environ.get("REQUIRE_TOOLS"):
        pytest.fail(f"{name} is not there")
    if path is None:
        pytest.skip(f"{name} is not there")
    return path


def clean_environment(home: Path, **more: str) -> dict[str, str]:
    """The caller's environment with a home of its own and nothing configured."""
    kept = {
        name: value
        for name, value in os.environ.items()
        # Who has activated an environment is given other advice.
        if not name.startswith(("OPS_ATOMIC_", "DBT_", "VIRTUAL_ENV"))
    }
    return {
        **kept,
        "HOME": str(home),
        "DO_NOT_TRACK": "1",
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        **more,
    }


def unmeasured(environment: dict[str, str]) -> dict[str, str]:
    """Without coverage, which doubles the time that dbt takes."""
    return {
        name: value
        for name, value in environment.items()
        if not name.startswith(("COVERAGE_", "COV_CORE_"))
    }


def run_tool(
    name: str, *arguments: str | Path, env: dict[str, str], cwd: Path = PROJECT
) -> subprocess.CompletedProcess[str]:
    """A command of the environment that the tests run in, to its end."""
    return subprocess.run(
        [Path(sys.executable).parent / name, *arguments],
        env=env,
        cwd=cwd,
        text=True,
        capture_output=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )


def copy_project(target: Path) -> Path:
    """A copy of what dbt and the command need of the project, to be changed."""
    target.mkdir()
    for name in ("dbt_project.yml", "profiles.yml", "pyproject.toml"):
        shutil.copyfile(PROJECT / name, target / name)
    for name in ("exporter", "ingest", "macros", "models", "seeds", "tests/dbt"):
        shutil.copytree(PROJECT / name, target / name)
    return target


def run_dbt(
    root: Path,
    scratch: Path,
    command: str,
    *arguments: str,
    project: Path = PROJECT,
    environment: Mapping[str, str] | None = None,
    unit_tests: bool = False,
) -> subprocess.CompletedProcess[str]:
    """Plain dbt in a project folder, writing nothing outside root and scratch.

    Without dbt's unit tests, unless asked for: they are the same on any root.
    """
    target = scratch / "target"
    leave_out = {} if unit_tests else {"DBT_EXCLUDE_RESOURCE_TYPES": "unit_test"}
    with _parsed(scratch, target, is_kept=project == PROJECT) as database:
        return run_tool(
            "dbt", "--no-use-colors", "--log-path", scratch / "logs",
            *command.split(), "--target-path", target, *arguments,
            env=unmeasured(
                clean_environment(
                    scratch,
                    OPS_ATOMIC_ROOT=str(root),
                    OPS_ATOMIC_DUCKDB=str(database),
                    # Its own code, whichever is installed.
                    PYTHONPATH=str(project),
                    **leave_out,
                    **(environment or {}),
                )
            ),
            cwd=project,
        )  # fmt: skip


@cache
def _parses() -> Path:
    """Where this process keeps dbt's parse from test to test."""
    folder = tempfile.TemporaryDirectory(prefix="ops-atomic-parses-")
    atexit.register(folder.cleanup)
    return Path(folder.name)


@contextmanager
def _parsed(scratch: Path, target: Path, *, is_kept: bool) -> Iterator[Path]:
    """Let dbt begin from the last parse that was kept, because to make one takes as
    long as a build; yields the path of its database, in `scratch`.

    dbt takes a parse for another project's where the database has another path:
    so each scratch folder goes by the same one.
    """
    kept, its = _parses() / "partial_parse.msgpack", target / "partial_parse.msgpack"
    link = _parses() / "scratch"
    link.unlink(missing_ok=True)
    link.symlink_to(scratch)
    scratch.mkdir(exist_ok=True)
    if kept.exists() and not its.exists():
        target.mkdir(exist_ok=True)
        shutil.copyfile(kept, its)
    yield link / "ops_atomic.duckdb"
    if is_kept and its.exists():
        shutil.copyfile(its, kept)


def tracked_files() -> list[Path]:
    """The files of the checkout that git knows; skips the test without git."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=PROJECT, capture_output=True, check=False
    )
    if listed.returncode:
        pytest.skip("this is not a git checkout")
    paths = (PROJECT / name for name in listed.stdout.decode().split("\0") if name)
    return [path for path in paths if path.is_file()]
