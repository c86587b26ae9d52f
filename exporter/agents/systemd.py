"""systemd's user manager, through systemctl: timers that start the wrapper."""

from __future__ import annotations

import re
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from exporter.agents.errors import AgentError
from exporter.agents.jobs import MONITOR, Agent, Installation
from exporter.agents.processes import Runner, failure
from exporter.agents.schedule import Schedule, as_text
from exporter.agents.system import Loaded
from exporter.agents.units import read_environment, read_schedule, render_units
from ingest import advice

SYSTEMCTL = ("systemctl", "--user", "--no-pager", "--no-ask-password")
OF_TIMER = (
    "LoadState",
    "ActiveState",
    "UnitFileState",
    "FragmentPath",
    "NeedDaemonReload",
    "TimersCalendar",
)
OF_SERVICE = (
    "ActiveState",
    "FragmentPath",
    "NeedDaemonReload",
    "MainPID",
    "ExecStart",
    "ExecMainCode",
    "ExecMainStatus",
    "ExecMainExitTimestamp",
)
# CLD_EXITED of wait(2): with any other code the status is a signal's number.
EXITED = "1"
COMMAND_LINE = re.compile(r"argv\[\]=(.*?) ; ignore_errors=")


@dataclass(frozen=True)
class Systemd:
    """The timers of one user; `folder` is where that user's units lie."""

    run: Runner
    folder: Path
    uid: int
    name: str = "systemd"

    def check(self, place: Installation) -> None:
        """Linux keeps none of a user's folders from that user's jobs."""

    def paths(self, label: str) -> tuple[Path, ...]:
        service = self.folder / f"{label}.service"
        if label == MONITOR.label:
            return (service,)
        return service, self.folder / f"{label}.timer"

    def render(self, agent: Agent) -> dict[Path, bytes]:
        return {
            self.folder / name: text.encode()
            for name, text in render_units(agent).items()
        }

    def read_environment(self, label: str) -> Mapping[str, str]:
        try:
            service = (self.folder / f"{label}.service").read_text(encoding="utf-8")
        except (OSError, ValueError):
            return {}
        return read_environment(service)

    def read_schedule(self, label: str) -> Schedule | None:
        try:
            timer = (self.folder / f"{label}.timer").read_text(encoding="utf-8")
        except (OSError, ValueError):
            return None
        return read_schedule(timer)

    def find(self, label: str) -> Loaded | None:
        timer = self._show(_switch(label), OF_TIMER)
        is_kept = label == MONITOR.label
        up = ("active", "activating") if is_kept else ("active",)
        # A oneshot service is "activating" for as long as its program runs.
        runs = "active" if is_kept else "activating"
        if timer["ActiveState"] not in up:
            return None
        service = self._show(f"{label}.service", OF_SERVICE)
        schedule = read_schedule(timer["TimersCalendar"])
        program = COMMAND_LINE.search(service["ExecStart"])
        status = int(service["ExecMainStatus"])
        has_ended = bool(service["ExecMainExitTimestamp"])
        has_exited = service["ExecMainCode"] == EXITED
        pid = int(service["MainPID"])
        return Loaded(
            domain=f"user {self.uid}",
            is_running=service["ActiveState"] == runs,
            is_enabled=timer["UnitFileState"] == "enabled",
            program=program[1] if program else "",
            schedule=as_text(schedule) if schedule else None,
            last_exit_code=status if has_ended and has_exited else None,
            last_signal=_name_signal(status) if has_ended and not has_exited else None,
            pid=pid or None,
        )

    def is_loaded_as(self, agent: Agent) -> bool:
        label = agent["Label"]
        timer = self._show(_switch(label), OF_TIMER)
        service = self._show(f"{label}.service", OF_SERVICE)
        return (
            timer["ActiveState"] == "active"
            and timer["UnitFileState"] == "enabled"
            and all(
                unit["FragmentPath"] == str(self.folder / name)
                and unit["NeedDaemonReload"] == "no"
                for unit, name in (
                    (timer, _switch(label)),
                    (service, f"{label}.service"),
                )
            )
        )

    def load(self, label: str) -> None:
        self._do("daemon-reload")
        self._do("enable", "--now", _switch(label))

    def unload(self, label: str) -> None:
        """Stop the timer; a run that it has started is left to finish."""
        timer = self._show(_switch(label), OF_TIMER)
        if timer["LoadState"] != "not-found":
            self._do("disable", "--now", _switch(label))

    def forget(self) -> None:
        self._do("daemon-reload")

    def start(self, label: str) -> bool:
        loaded = self.find(label)
        if loaded is None:
            raise AgentError(
                advice.run(f"{label} is not loaded", None, "agents", "install")
            )
        if loaded.is_running:
            return False
        self._do("start", "--no-block", f"{label}.service")
        return True

    def advise(self) -> list[str]:
        command = ("loginctl", "show-user", str(self.uid), "--property=Linger")
        try:
            outcome = self.run(command)
        except AgentError:
            return []
        if outcome.out.strip() == "Linger=yes":
            return []
        return [
            "the timers run only while this user is logged in: "
            "`loginctl enable-linger` lets them run always"
        ]

    def _show(self, unit: str, properties: tuple[str, ...]) -> dict[str, str]:
        """Properties of a unit; systemd has them for units that are not there."""
        printed = self._do("show", f"--property={','.join(properties)}", unit)
        held = dict(line.split("=", 1) for line in printed.split("\n") if "=" in line)
        return {name: held.get(name, "") for name in properties}

    def _do(self, *arguments: str) -> str:
        command = (*SYSTEMCTL, *arguments)
        outcome = self.run(command)
        if outcome.code == 0:
            return outcome.out
        if "connect to bus" in outcome.err:
            raise AgentError(
                f"systemd has no user manager in this session "
                f"({outcome.err.strip()}): log in as the user itself, not through su "
                f"or sudo, or set XDG_RUNTIME_DIR=/run/user/{self.uid}; on a machine "
                "without one, start launchagents/run_export.sh from cron"
            )
        raise failure(command, outcome)


def _switch(label: str) -> str:
    """The unit that is switched on: what runs for ever has no timer."""
    return f"{label}.{'service' if label == MONITOR.label else 'timer'}"


def _name_signal(number: int) -> str:
    """As launchd names it: `Terminated: 15`."""
    return f"{signal.strsignal(number)}: {number}"
