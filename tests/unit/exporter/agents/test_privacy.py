"""Folders that macOS keeps from launchd jobs are refused, however reached."""

from __future__ import annotations

from pathlib import Path

import pytest

from exporter.agents.errors import AgentRefused
from exporter.agents.jobs import Installation
from exporter.agents.privacy import name_protected, refuse_protected

HOME = Path("/Users/ops")


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/Users/ops/Documents", "Documents"),
        ("/Users/ops/Documents/02luka", "Documents"),
        ("/Users/ops/documents/02luka", "Documents"),
        ("/System/Volumes/Data/Users/ops/Documents/02luka", "Documents"),
        ("/Users/ops/Desktop/02luka", "Desktop"),
        ("/Users/ops/Downloads/ops-atomic", "Downloads"),
        (
            "/Users/ops/Library/Mobile Documents/com~apple~CloudDocs/02luka",
            "iCloud Drive",
        ),
        ("/Users/ops/Library/CloudStorage/Dropbox/02luka", "cloud storage"),
        ("/Volumes/Backup/02luka", "an external volume"),
        ("/Users/ops/02luka", None),
        ("/Users/ops/Documents-old/02luka", None),
        ("/Users/ops/work/Documents/02luka", None),
        ("/Users/ops/Library/Application Support/02luka", None),
        ("/opt/02luka", None),
        ("/Volumes-of-books/02luka", None),
        ("/", None),
    ],
)
def test_a_folder_is_known_by_where_it_lies(path: str, kind: str | None) -> None:
    assert name_protected(Path(path), HOME) == kind


@pytest.fixture
def home(tmp_path: Path) -> Path:
    home = tmp_path / "home"
    (home / "Documents").mkdir(parents=True)
    (home / "02luka" / "g").mkdir(parents=True)
    (home / "ops-atomic").mkdir()
    return home


def test_other_places_are_fine(home: Path) -> None:
    refuse_protected(Installation(home / "ops-atomic", home / "02luka"), home)


def test_the_reports_are_refused_with_the_way_out(home: Path) -> None:
    with pytest.raises(AgentRefused) as refusal:
        refuse_protected(
            Installation(home / "ops-atomic", home / "Documents" / "x"), home
        )
    told = str(refusal.value)
    assert f"{home}/Documents/x lies in a protected folder (Documents)" in told
    assert "macOS privacy rules" in told
    assert "/ops-atomic agents install --root ~/02luka" in told


def test_the_project_is_refused_with_the_way_out(home: Path) -> None:
    with pytest.raises(AgentRefused) as refusal:
        refuse_protected(Installation(home / "Documents" / "x", home / "02luka"), home)
    told = str(refusal.value)
    assert "Move the project elsewhere" in told
    assert "make venv && .venv/bin/ops-atomic agents install" in told


@pytest.mark.parametrize("link", ["02luka", "02luka/g/reports", "02luka/knowledge"])
def test_a_link_into_a_protected_folder_is_seen_through(home: Path, link: str) -> None:
    if link == "02luka":
        (home / "02luka" / "g").rmdir()
        (home / "02luka").rmdir()
    (home / link).symlink_to(home / "Documents")
    with pytest.raises(AgentRefused) as refusal:
        refuse_protected(Installation(home / "ops-atomic", home / "02luka"), home)
    assert f"{home / link} (really {home}/Documents)" in str(refusal.value)


def test_a_python_in_a_protected_folder_is_seen_too(home: Path) -> None:
    binaries = home / "ops-atomic" / ".venv" / "bin"
    binaries.mkdir(parents=True)
    (binaries / "python").symlink_to("/Volumes/Tools/python3")
    with pytest.raises(AgentRefused, match="an external volume"):
        refuse_protected(Installation(home / "ops-atomic", home / "02luka"), home)


def test_a_home_that_is_a_link_is_the_same_home(home: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(home)
    for named in (home, tmp_path / "link"):
        with pytest.raises(AgentRefused):
            refuse_protected(
                Installation(home / "ops-atomic", named / "Documents"),
                tmp_path / "link",
            )
