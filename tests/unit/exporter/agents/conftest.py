"""A project to install agents of, and a Mac to install them on."""

from __future__ import annotations

from pathlib import Path

import pytest

from exporter.agents.jobs import Installation
from exporter.agents.launchd import Launchd
from tests.launchctl import FakeLaunchctl


@pytest.fixture
def place(tmp_path: Path) -> Installation:
    """A project with a wrapper and a command, and a root, beside each other."""
    place = Installation(tmp_path / "ops atomic", tmp_path / "02luka")
    for program in (place.wrapper, place.venv / "bin" / "ops-atomic"):
        program.parent.mkdir(parents=True)
        program.touch(0o755)
    place.root.mkdir()
    return place


@pytest.fixture
def launchctl() -> FakeLaunchctl:
    return FakeLaunchctl()


@pytest.fixture
def mac(launchctl: FakeLaunchctl, tmp_path: Path) -> Launchd:
    return Launchd(launchctl, tmp_path / "home", 501, sleep=launchctl.wait)
