"""Fixtures and settings for all tests."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import CompletedProcess
from unittest import mock

import pytest
from click.testing import CliRunner, Result
from hypothesis import HealthCheck, settings

from ingest.root import EXAMPLE_ROOT
from tests import support

# Examples take as long as they take: a busy machine is no failure.
settings.register_profile("default", deadline=None)
settings.register_profile(
    "ci",
    deadline=None,
    derandomize=True,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("ci" if os.environ.get("CI") else "default")


@pytest.fixture(scope="session", autouse=True)
def _nothing_configured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A home without a root, and no variable that leads to one."""
    home = tmp_path_factory.mktemp("home")
    with mock.patch.dict(os.environ, support.clean_environment(home), clear=True):
        yield


@pytest.fixture
def samples() -> Path:
    """The recorded samples, to be read only."""
    return support.samples_or_skip()


@pytest.fixture
def samples_root(samples: Path, tmp_path: Path) -> Path:
    """A copy of the recorded samples to export."""
    return support.copy_root(samples, tmp_path / "samples")


@pytest.fixture
def example_root(tmp_path: Path) -> Path:
    """A copy of the bundled example to export."""
    return support.copy_root(EXAMPLE_ROOT, tmp_path / "02luka")


@pytest.fixture
def empty_root(tmp_path: Path) -> Path:
    """A root without any input."""
    root = tmp_path / "empty"
    (root / "g").mkdir(parents=True)
    return root


@pytest.fixture
def cli() -> Callable[..., Result]:
    """Runs `ops-atomic COMMAND --root ROOT …` in this process."""

    def run(command: str, root: Path, *arguments: str) -> Result:
        from exporter.cli.main import main

        # A run may set variables for the dbt it starts.
        with mock.patch.dict(os.environ):
            result = CliRunner().invoke(
                main, [command, "--root", str(root), *arguments]
            )
        # A process that runs dbt does so once; this one starts afresh each time.
        if connections := sys.modules.get("dbt.adapters.duckdb.connections"):
            connections.DuckDBConnectionManager.close_all_connections()
        return result

    return run


@pytest.fixture
def ops_atomic(tmp_path: Path) -> Callable[..., CompletedProcess[str]]:
    """Runs `ops-atomic COMMAND --root ROOT …` as a process of its own."""

    def run(command: str, root: Path, *arguments: str) -> CompletedProcess[str]:
        return support.run_tool(
            "ops-atomic", command, "--root", root, *arguments,
            env=dict(os.environ), cwd=tmp_path,
        )  # fmt: skip

    return run
