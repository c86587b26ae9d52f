"""A launchctl that answers as it was recorded: itself it cannot run on Linux."""

from __future__ import annotations

import plistlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from exporter.agents.jobs import Agent
from exporter.agents.launchd import LAUNCHCTL, Launchd
from exporter.agents.processes import Outcome

RECORDED = Path(__file__).parent / "unit" / "exporter" / "agents" / "launchctl"
LABEL = "com.02luka.parquet_export"
GUI, USER = "gui/501", "user/501"


def recorded(name: str) -> str:
    return (RECORDED / f"{name}.txt").read_text(encoding="utf-8")


@dataclass
class FakeLaunchctl:
    """launchd of one user: what is loaded where, and what was asked of it."""

    domains: tuple[str, ...] = (GUI, USER)
    prints: str = "ended_well"
    loaded: dict[str, Agent] = field(default_factory=dict)
    disabled: set[str] = field(default_factory=set)
    # Answers that come first: the next outcomes of a subcommand.
    forced: dict[str, list[Outcome]] = field(default_factory=dict)
    # How many times a job that was booted out still shows.
    lingers: int = 0
    calls: list[tuple[str, ...]] = field(default_factory=list)

    def __call__(self, command: Sequence[str]) -> Outcome:
        program, subcommand, *arguments = command
        assert program == LAUNCHCTL
        self.calls.append((subcommand, *arguments))
        if self.forced.get(subcommand):
            return self.forced[subcommand].pop(0)
        target = arguments[0]
        if subcommand == "print":
            return self._print(target)
        if subcommand == "print-disabled":
            lines = "".join(f'\t\t"{label}" => disabled\n' for label in self.disabled)
            return Outcome(0, f"\n\tdisabled services = {{\n{lines}\t}}\n")
        if subcommand == "enable":
            self.disabled.discard(target.rsplit("/", 1)[1])
        elif subcommand == "bootstrap":
            agent = plistlib.loads(Path(arguments[1]).read_bytes())
            if f"{target}/{agent['Label']}" in self.loaded:
                return Outcome(5, "", "Bootstrap failed: 5: Input/output error\n")
            self.loaded[f"{target}/{agent['Label']}"] = agent
        elif subcommand == "bootout":
            if self.lingers:
                return Outcome(36, "", "Boot-out failed: 36: Operation in progress\n")
            del self.loaded[target]
        else:
            assert subcommand == "kickstart", subcommand
        return Outcome(0)

    def wait(self, seconds: float) -> None:
        """Time passes: a job that was booted out comes nearer to its end."""
        self.lingers -= 1
        if self.lingers == 0:
            self.loaded.clear()

    def asked(self, *subcommands: str) -> list[tuple[str, ...]]:
        return [call for call in self.calls if call[0] in subcommands]

    def _print(self, target: str) -> Outcome:
        domain = "/".join(target.split("/")[:2])
        if domain not in self.domains:
            return Outcome(112, "", recorded("no_domain.err"))
        if target == domain:
            return Outcome(0, f"{domain} = {{\n\ttype = user login\n}}\n")
        if target not in self.loaded:
            return Outcome(113, "", recorded("not_loaded.err"))
        agent = self.loaded[target]
        at = agent["StartCalendarInterval"]
        return Outcome(
            0,
            recorded(self.prints)
            .replace(
                "/Users/ops/ops-atomic/launchagents/run_export.sh",
                agent["ProgramArguments"][0],
            )
            .replace('"Hour" => 5', f'"Hour" => {at["Hour"]}')
            .replace('"Minute" => 0', f'"Minute" => {at["Minute"]}')
            .replace(LABEL, agent["Label"]),
        )


def actions(changes: Sequence[tuple[object, str]]) -> list[str]:
    return [action for _, action in changes]


def plists(mac: Launchd) -> dict[str, tuple[bytes, int, int]]:
    """Content, mode and inode of every file where the plists lie."""
    folder = mac.home / "Library" / "LaunchAgents"
    return {
        path.name: (path.read_bytes(), path.stat().st_mode & 0o777, path.stat().st_ino)
        for path in folder.iterdir()
    }
