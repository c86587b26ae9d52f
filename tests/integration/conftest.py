"""Roots that are exported once and copied by every test that damages one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ingest.root import EXAMPLE_ROOT
from tests import faults, support


@pytest.fixture(scope="session")
def exported_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundled example after a run: to be copied, not touched."""
    root = support.copy_root(EXAMPLE_ROOT, tmp_path_factory.mktemp("once") / "02luka")
    faults.export(root)
    return root


@pytest.fixture
def root(exported_once: Path, tmp_path: Path) -> Path:
    """A copy of the example after a run, nothing of it stale."""
    return faults.copy(exported_once, tmp_path / "root")


@pytest.fixture
def ops_atomic_bare() -> Callable[..., Result]:
    """Runs `ops-atomic …` in this process, with no root of its own."""

    def run(*arguments: str | Path) -> Result:
        from exporter.cli.main import main

        return CliRunner().invoke(main, [str(argument) for argument in arguments])

    return run
