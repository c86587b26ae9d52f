"""What the rest knows of launchd and of systemd: one shape for both."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from exporter.agents.jobs import Agent, Installation
from exporter.agents.schedule import Schedule


@dataclass(frozen=True)
class Loaded:
    """A job as the system's own manager knows it.

    `program` is its command line, words parted by blanks. `last_exit_code` and
    `last_signal` are of the last run that ended, None when none has. `schedule`
    is as `schedule.as_text` writes it, None when the manager shows none.
    """

    domain: str
    is_running: bool
    is_enabled: bool
    program: str
    schedule: str | None
    last_exit_code: int | None = None
    last_signal: str | None = None
    pid: int | None = None


class System(Protocol):
    """A manager of jobs. Every method may raise AgentError."""

    @property
    def name(self) -> str:
        """`launchd` or `systemd`."""

    def check(self, place: Installation) -> None:
        """Raise AgentRefused if jobs could not work on that place."""

    def paths(self, label: str) -> tuple[Path, ...]:
        """Where the files of an agent lie, there or not."""

    def render(self, agent: Agent) -> dict[Path, bytes]:
        """What the files of an agent hold."""

    def read_environment(self, label: str) -> Mapping[str, str]:
        """The variables of the installed agent; none if it is not there."""

    def read_schedule(self, label: str) -> Schedule | None:
        """When the installed agent starts; None if it is not there."""

    def find(self, label: str) -> Loaded | None:
        """The job as it is loaded, or None."""

    def is_loaded_as(self, agent: Agent) -> bool:
        """Whether exactly this agent is loaded, enabled and scheduled."""

    def load(self, label: str) -> None:
        """Make the manager take up the agent whose files are in place."""

    def unload(self, label: str) -> None:
        """Make the manager drop the job, if it has it; done when it is gone."""

    def forget(self) -> None:
        """Called when files of agents have been removed."""

    def start(self, label: str) -> bool:
        """Start a loaded job now; False when it runs already and is left alone."""

    def advise(self) -> list[str]:
        """What the operator should know about the schedule on this machine."""
