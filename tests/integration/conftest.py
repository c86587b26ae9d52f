"""Roots that are exported once and copied by every test that damages one; and a
browser that visits pages."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner, Result

from ingest.root import EXAMPLE_ROOT
from tests import faults, support

if TYPE_CHECKING:  # few tests need a browser
    from playwright.sync_api import Browser

    from tests.browsing import Visit


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


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    from tests.browsing import launched

    with launched() as browser:
        yield browser


@pytest.fixture
def visit(browser: Browser) -> Iterator[Visit]:
    from tests.browsing import Visit

    visited = Visit(browser)
    yield visited
    visited.close()


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pages of a root that has something for every part of them."""
    from tests.browsing import folder_of
    from tests.pages import fill

    root = tmp_path_factory.mktemp("filled")
    fill(root)
    return folder_of(root)
