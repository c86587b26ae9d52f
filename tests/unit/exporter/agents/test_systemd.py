"""Agents on Linux, with the answers that systemctl gives (systemd 252)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from exporter.agents.errors import AgentError
from exporter.agents.jobs import LABELS, MONITOR, Installation
from exporter.agents.processes import Outcome
from exporter.agents.service import install, uninstall
from exporter.agents.status import find_statuses
from exporter.agents.systemd import SYSTEMCTL, Systemd
from ingest import advice
from ingest.root import Root

LABEL = "com.02luka.parquet_export"
NO_BUS = "Failed to connect to bus: No medium found\n"

LINGERS = Outcome(0, "Linger=yes\n")

NEVER_STARTED = """\
ActiveState=inactive
MainPID=0
ExecMainCode=0
ExecMainStatus=0
ExecMainExitTimestamp=
"""
RUNNING = """\
ActiveState=activating
MainPID=4711
ExecMainCode=0
ExecMainStatus=0
ExecMainExitTimestamp=
"""
ENDED_WELL = """\
ActiveState=inactive
MainPID=0
ExecMainCode=1
ExecMainStatus=0
ExecMainExitTimestamp=Tue 2025-10-28 05:00:41 UTC
"""
FAILED = ENDED_WELL.replace("inactive", "failed").replace("Status=0", "Status=1")
KILLED = FAILED.replace("Code=1", "Code=2").replace("Status=1", "Status=15")


@dataclass
class FakeSystemctl:
    """A user manager: the units it has read, and which timers it runs."""

    folder: Path
    service: str = ENDED_WELL
    read: dict[str, str] = field(default_factory=dict)
    enabled: set[str] = field(default_factory=set)
    linger: Outcome = LINGERS
    forced: Outcome | None = None
    calls: list[tuple[str, ...]] = field(default_factory=list)

    def __call__(self, command: Sequence[str]) -> Outcome:
        if command[0] == "loginctl":
            if self.linger.code == 127:
                raise AgentError("loginctl cannot be run")
            return self.linger
        assert tuple(command[: len(SYSTEMCTL)]) == SYSTEMCTL
        verb, *arguments = command[len(SYSTEMCTL) :]
        self.calls.append((verb, *arguments))
        if self.forced:
            return self.forced
        unit = arguments[-1] if arguments else ""
        if verb == "daemon-reload":
            self.read = {
                path.name: path.read_text(encoding="utf-8")
                for path in self.folder.glob("com.*")
            }
        elif verb == "show":
            return Outcome(0, self._show(unit))
        elif verb == "enable":
            assert unit in self.read
            self.enabled.add(unit)
        elif verb == "disable":
            self.enabled.discard(unit)
        else:
            assert verb == "start", verb
        return Outcome(0)

    def asked(self) -> list[tuple[str, ...]]:
        return [call for call in self.calls if call[0] != "show"]

    def _show(self, unit: str) -> str:
        if unit not in self.read:
            return (
                "LoadState=not-found\nActiveState=inactive\nUnitFileState=\n"
                "FragmentPath=\nNeedDaemonReload=no\nMainPID=0\nExecMainCode=0\n"
                "ExecMainStatus=0\nExecMainExitTimestamp=\n"
            )
        path = self.folder / unit
        is_stale = (
            not path.exists() or path.read_text(errors="replace") != self.read[unit]
        )
        common = (
            f"LoadState=loaded\nFragmentPath={path}\n"
            f"NeedDaemonReload={'yes' if is_stale else 'no'}\n"
        )
        if unit.endswith(".service"):
            if "Restart=always" in self.read[unit]:
                is_on = unit in self.enabled
                common += f"UnitFileState={'enabled' if is_on else 'disabled'}\n"
                state = "active" if is_on else "inactive"
                self.service = NEVER_STARTED.replace("inactive", state).replace(
                    "MainPID=0", "MainPID=4711"
                )
            program = self.read[unit].split('ExecStart=/bin/sh "')[1].split('"')[0]
            return (
                f"{common}ExecStart={{ path=/bin/sh ; argv[]=/bin/sh {program} ; "
                "ignore_errors=no ; start_time=[n/a] ; stop_time=[n/a] ; pid=0 ; "
                f"code=(null) ; status=0/0 }}\n{self.service}"
            )
        calendar = self.read[unit].split("OnCalendar=")[1].split("\n")[0]
        is_on = unit in self.enabled
        return (
            f"{common}ActiveState={'active' if is_on else 'inactive'}\n"
            f"UnitFileState={'enabled' if is_on else 'disabled'}\n"
            f"TimersCalendar={{ OnCalendar={calendar} ; "
            "next_elapse=Wed 2025-10-29 05:00:00 UTC }\n"
        )


@pytest.fixture
def systemctl(tmp_path: Path) -> FakeSystemctl:
    return FakeSystemctl(tmp_path / "units")


@pytest.fixture
def linux(systemctl: FakeSystemctl) -> Systemd:
    return Systemd(systemctl, systemctl.folder, 1000)


def actions(changes: Sequence[tuple[object, str]]) -> list[str]:
    return [action for _, action in changes]


def test_install_enables_the_timers(
    linux: Systemd, systemctl: FakeSystemctl, place: Installation
) -> None:
    assert actions(install(linux, place, {})) == ["installed", "installed"]
    assert systemctl.asked() == [
        call
        for label in LABELS
        for call in (("daemon-reload",), ("enable", "--now", f"{label}.timer"))
    ]
    assert place.logs.is_dir()
    assert {path.name for path in systemctl.folder.iterdir()} == {
        f"{label}.{kind}" for label in LABELS for kind in ("service", "timer")
    }


def test_installing_twice_changes_nothing(
    linux: Systemd, systemctl: FakeSystemctl, place: Installation
) -> None:
    install(linux, place, {"OPS_ATOMIC_PING_URL": "https://x/y%20z"})
    inodes = {path: path.stat().st_ino for path in systemctl.folder.iterdir()}
    systemctl.calls.clear()
    assert actions(install(linux, place, {})) == ["unchanged", "unchanged"]
    assert systemctl.asked() == []
    assert {path: path.stat().st_ino for path in systemctl.folder.iterdir()} == inodes
    environment = linux.read_environment(LABEL)
    assert environment["OPS_ATOMIC_PING_URL"] == "https://x/y%20z"


@pytest.mark.parametrize("wrong", ["timer off", "not read anew", "file gone", "mode"])
def test_whatever_is_not_as_it_should_be_is_mended(
    linux: Systemd, systemctl: FakeSystemctl, place: Installation, wrong: str
) -> None:
    install(linux, place, {})
    service, timer = linux.paths(LABEL)
    if wrong == "timer off":
        systemctl.enabled.discard(timer.name)
    elif wrong == "not read anew":
        systemctl.read[service.name] += "# of before\n"
    elif wrong == "file gone":
        timer.unlink()
    else:
        service.chmod(0o600)
    assert actions(install(linux, place, {})) == ["unchanged", "updated"]
    assert [status.problems for status in find_statuses(linux, place.project)] == [
        [],
        [],
    ]


def test_uninstall_takes_all_away(
    linux: Systemd, systemctl: FakeSystemctl, place: Installation
) -> None:
    install(linux, place, {})
    assert actions(uninstall(linux)) == ["removed", "removed"]
    assert list(systemctl.folder.iterdir()) == []
    assert (systemctl.read, systemctl.enabled) == ({}, set())
    assert actions(uninstall(linux)) == ["absent", "absent"]


@pytest.mark.parametrize(
    ("service", "is_running", "pid", "code", "signal"),
    [
        (NEVER_STARTED, False, None, None, None),
        (RUNNING, True, 4711, None, None),
        (ENDED_WELL, False, None, 0, None),
        (FAILED, False, None, 1, None),
        (KILLED, False, None, None, "Terminated: 15"),
    ],
)
def test_the_answers_of_show_are_read(
    linux: Systemd,
    systemctl: FakeSystemctl,
    place: Installation,
    service: str,
    is_running: bool,
    pid: int | None,
    code: int | None,
    signal: str | None,
) -> None:
    install(linux, place, {})
    systemctl.service = service
    loaded = linux.find(LABEL)
    assert loaded is not None
    assert loaded.is_running is is_running
    assert (loaded.pid, loaded.last_exit_code, loaded.last_signal) == (
        pid,
        code,
        signal,
    )
    assert loaded.schedule == "05:00"
    assert loaded.program == f"/bin/sh {place.wrapper}"
    problems = find_statuses(linux, place.project)[1].problems
    assert bool(problems) is (service in (FAILED, KILLED))


def test_a_timer_that_was_edited_has_another_schedule(
    linux: Systemd, systemctl: FakeSystemctl, place: Installation
) -> None:
    install(linux, place, {})
    timer = systemctl.read[f"{LABEL}.timer"]
    systemctl.read[f"{LABEL}.timer"] = timer.replace("05:00:00", "06:30:00")
    problems = find_statuses(linux, place.project)[1].problems
    mend = advice.command(Root(place.root), "agents", "install")
    assert problems == [f"scheduled for 06:30, not 05:00: run {mend}"]
    systemctl.read[f"{LABEL}.timer"] = timer.replace("*-*-* 05:00:00", "weekly")
    problems = find_statuses(linux, place.project)[1].problems
    assert "scheduled for no time" in problems[0]


def test_start_starts_the_service_once(
    linux: Systemd, systemctl: FakeSystemctl, place: Installation
) -> None:
    with pytest.raises(AgentError, match="agents install"):
        linux.start(LABEL)
    install(linux, place, {})
    assert linux.start(LABEL) is True
    assert systemctl.asked()[-1] == ("start", "--no-block", f"{LABEL}.service")
    systemctl.service = RUNNING
    calls = len(systemctl.asked())
    assert linux.start(LABEL) is False
    assert len(systemctl.asked()) == calls


def test_a_session_without_a_manager_is_explained(
    linux: Systemd, systemctl: FakeSystemctl, place: Installation
) -> None:
    systemctl.forced = Outcome(1, "", NO_BUS)
    with pytest.raises(AgentError) as error:
        install(linux, place, {})
    assert "XDG_RUNTIME_DIR=/run/user/1000" in str(error.value)
    assert "No medium found" in str(error.value)
    assert not systemctl.folder.exists()
    for status in find_statuses(linux, place.project):
        assert status.loaded is None
        assert status.problems == [str(error.value)]


def test_another_failure_is_told_in_systemctls_words(
    linux: Systemd, systemctl: FakeSystemctl
) -> None:
    systemctl.forced = Outcome(4, "", "Unit is masked.\n")
    with pytest.raises(AgentError, match=r"failed with 4: Unit is masked\."):
        uninstall(linux)


@pytest.mark.parametrize(
    ("linger", "is_advised"),
    [
        (LINGERS, False),
        (Outcome(0, "Linger=no\n"), True),
        (Outcome(1, "", "Failed to get user: No such process\n"), True),
        (Outcome(127), False),
    ],
)
def test_lingering_is_advised_where_it_is_off(
    linux: Systemd, systemctl: FakeSystemctl, linger: Outcome, is_advised: bool
) -> None:
    systemctl.linger = linger
    assert ["enable-linger" in advice for advice in linux.advise()] == (
        [True] if is_advised else []
    )


def test_a_damaged_unit_is_a_problem_that_install_mends(
    linux: Systemd, place: Installation
) -> None:
    install(linux, place, {})
    linux.paths(LABEL)[0].write_bytes(b"\xff")
    [problem] = find_statuses(linux, place.project)[1].problems
    assert "cannot be read" in problem


def test_the_monitor_is_a_service_that_is_started_again(
    linux: Systemd, systemctl: FakeSystemctl, place: Installation
) -> None:
    asked = {MONITOR.label: ()}
    assert actions(install(linux, place, {}, asked))[-1] == "installed"
    unit = f"{MONITOR.label}.service"
    assert ("enable", "--now", unit) in systemctl.calls
    text = (systemctl.folder / unit).read_text()
    assert "\nRestart=always\n" in text
    assert f"\nWorkingDirectory={place.root}\n" in text
    assert not (systemctl.folder / f"{MONITOR.label}.timer").exists()
    loaded = linux.find(MONITOR.label)
    assert loaded
    assert (loaded.is_running, loaded.pid, loaded.schedule) == (True, 4711, None)
    assert actions(install(linux, place, {}, asked))[-1] == "unchanged"
    assert not linux.start(MONITOR.label)
    (found,) = [s for s in find_statuses(linux, place.project) if s.beats]
    assert found.job == MONITOR
    uninstall(linux)
    assert ("disable", "--now", unit) in systemctl.calls
    assert not list(systemctl.folder.iterdir())
