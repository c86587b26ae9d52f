"""make install and make uninstall: the command on the PATH, and nobody else's."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from ingest.root import PROJECT

SCRIPT = PROJECT / "scripts" / "link_command.sh"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    home = tmp_path / "a home"
    home.mkdir()
    return home


def call(home: Path, action: str, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [SCRIPT, action],
        env={"HOME": str(home), "PATH": os.environ["PATH"], **more},
        text=True, capture_output=True, check=False,
    )  # fmt: skip


def test_the_link_leads_to_the_command_and_goes_again(home: Path) -> None:
    link = home / ".local" / "bin" / "ops-atomic"
    first = call(home, "install")
    assert first.returncode == 0, first.stderr
    assert f"✓ Linked {link}" in first.stdout
    assert link.readlink() == PROJECT / ".venv" / "bin" / "ops-atomic"
    assert "is not on your PATH" in first.stdout
    again = call(home, "install", PATH=f"{link.parent}:{os.environ['PATH']}")
    assert again.returncode == 0
    assert "PATH" not in again.stdout
    assert list(link.parent.iterdir()) == [link]
    assert f"✓ Removed {link}" in call(home, "uninstall").stdout
    assert not link.is_symlink()
    assert f"⊘ Not installed: {link}" in call(home, "uninstall").stdout


@pytest.mark.parametrize("is_link", [False, True])
def test_another_program_of_that_name_stays(home: Path, is_link: bool) -> None:
    link = home / ".local" / "bin" / "ops-atomic"
    link.parent.mkdir(parents=True)
    if is_link:
        link.symlink_to("/bin/true")
    else:
        link.write_text("somebody's own")
    before = os.lstat(link)
    for action in ("install", "uninstall"):
        refused = call(home, action)
        assert refused.returncode == 1
        assert "is another program" in refused.stderr
    assert os.lstat(link) == before


def test_a_link_of_a_checkout_that_has_moved_is_replaced(home: Path) -> None:
    link = home / ".local" / "bin" / "ops-atomic"
    link.parent.mkdir(parents=True)
    link.symlink_to("/gone/ops-atomic/.venv/bin/ops-atomic")
    assert call(home, "install").returncode == 0
    assert link.readlink() == PROJECT / ".venv" / "bin" / "ops-atomic"
