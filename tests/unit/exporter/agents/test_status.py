"""What is told of installed agents, and what is wrong with them: on macOS."""

from __future__ import annotations

from datetime import datetime

import pytest

from exporter.agents.jobs import Installation
from exporter.agents.launchd import Launchd
from exporter.agents.processes import Outcome
from exporter.agents.service import install
from exporter.agents.status import find_statuses
from ingest import advice
from tests.launchctl import GUI, LABEL, FakeLaunchctl, actions


@pytest.mark.parametrize(
    ("prints", "problem"),
    [
        ("failed", "its last run ended with exit code 1: run tail "),
        ("not_set_up", "its last run could not start, something is missing: run tail "),
        ("ended_by_signal", "its last run was ended by a signal (Terminated: 15)"),
    ],
)
def test_a_bad_end_is_a_problem(
    mac: Launchd,
    launchctl: FakeLaunchctl,
    place: Installation,
    prints: str,
    problem: str,
) -> None:
    install(mac, place, {})
    launchctl.prints = prints
    for status in find_statuses(mac, place.project):
        [found] = status.problems
        assert found.startswith(problem)


def test_agents_that_are_not_there_are_not_installed(
    mac: Launchd, place: Installation
) -> None:
    for status in find_statuses(mac, place.project):
        mend = advice.command(None, "agents", "install")
        assert status.problems == [f"not installed: run {mend}"]
        assert status.as_json()["installed"] is status.as_json()["loaded"] is False


def test_a_root_or_log_folder_that_went_away_is_a_problem(
    mac: Launchd, place: Installation
) -> None:
    install(mac, place, {})
    place.logs.rmdir()
    [problem] = find_statuses(mac, place.project)[0].problems
    assert "and with it the log" in problem
    (place.root / "g").rmdir()
    place.root.rmdir()
    [problem] = find_statuses(mac, place.project)[0].problems
    assert f"the root {place.root} is gone" in problem


def test_a_project_that_moved_is_a_problem(mac: Launchd, place: Installation) -> None:
    install(mac, place, {})
    moved = place.project.rename(place.project.with_name("moved"))
    [problem] = find_statuses(mac, moved)[0].problems
    assert "not as this version of the project installs it" in problem
    [problem] = find_statuses(mac, place.project)[0].problems
    assert "cannot be run" in problem


@pytest.mark.parametrize(
    "content", [b"", b"<plist><nonsense", b"bplist00", b"<plist><array/></plist>"]
)
def test_a_damaged_file_is_a_problem_that_install_mends(
    mac: Launchd, place: Installation, content: bytes
) -> None:
    install(mac, place, {})
    mac.paths(LABEL)[0].write_bytes(content)
    [problem] = find_statuses(mac, place.project)[1].problems
    assert "cannot be read" in problem
    assert actions(install(mac, place, {})) == ["unchanged", "updated"]


def test_a_launchctl_that_fails_is_told_not_taken_for_absence(
    mac: Launchd, launchctl: FakeLaunchctl, place: Installation
) -> None:
    broken = Outcome(5, "", "Could not print service: 5: Input/output error\n")
    launchctl.forced["print"] = [broken] * 2
    for status in find_statuses(mac, place.project):
        [problem] = status.problems
        assert "print gui/501" in problem
        assert "failed with 5" in problem


def test_the_status_is_told_in_full_as_json(
    mac: Launchd, launchctl: FakeLaunchctl, place: Installation
) -> None:
    install(mac, place, {"OPS_ATOMIC_NOTIFY": "json://secret"})
    launchctl.prints = "running"
    told = find_statuses(mac, place.project)[1].as_json()
    next_start = datetime.fromisoformat(told.pop("next_start"))
    assert (next_start.hour, next_start.minute) == (5, 0)
    assert next_start > datetime.now().astimezone()
    assert told == {
        "label": LABEL,
        "installed": True,
        "loaded": True,
        "domain": GUI,
        "enabled": True,
        "running": True,
        "pid": 48213,
        "last_exit_code": 0,
        "last_signal": None,
        "schedule": "05:00",
        "program": str(place.wrapper),
        "root": str(place.root),
        "problems": [],
        "last_success": None,
        "due": True,
        "heartbeats": None,
    }
