"""launchd, through launchctl: load, unload, start, and read what it prints."""

from __future__ import annotations

import plistlib
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.parsers.expat import ExpatError

from exporter.agents.errors import AgentError, AgentRefused
from exporter.agents.jobs import Agent, Installation
from exporter.agents.privacy import refuse_protected
from exporter.agents.processes import Outcome, Runner, failure
from exporter.agents.schedule import (
    ClockTime,
    Schedule,
    as_text,
    from_intervals,
    normal,
)
from exporter.agents.system import Loaded
from ingest import advice

LAUNCHCTL = "/bin/launchctl"
# launchctl's codes: no such process, no such domain, no such service, and a
# domain that is not there in this kind of session.
NO_PROCESS, NO_DOMAIN, NO_SERVICE, WRONG_DOMAIN = 3, 112, 113, 125
IN_PROGRESS = 36
# What bootstrap says while launchd is still clearing away the job before.
IO_ERROR = 5
BOOTSTRAP_TRIES = 3
# What a file is that holds no agent of ours.
UNREADABLE = (OSError, ValueError, KeyError, TypeError, AttributeError, ExpatError)
POLL_S = 0.2
# More than ExitTimeOut, after which launchd kills a job that does not end.
UNLOAD_TIMEOUT_S = 45

# The times of a job, each in a block of its own.
DESCRIPTOR = re.compile(r"descriptor = \{(.*?)\}", re.DOTALL)
HOUR = re.compile(r'"?Hour"? => (\d+)')
MINUTE = re.compile(r'"?Minute"? => (\d+)')


@dataclass(frozen=True)
class Launchd:
    """The agents of one user of a Mac."""

    run: Runner
    home: Path
    uid: int
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
    name: str = "launchd"

    @property
    def domains(self) -> tuple[str, str]:
        """The user's screen session, and the one there is without it."""
        return f"gui/{self.uid}", f"user/{self.uid}"

    def check(self, place: Installation) -> None:
        if self.uid == 0:
            raise AgentRefused(
                "agents belong to a user, not to root: install them without sudo"
            )
        refuse_protected(place, self.home)

    def paths(self, label: str) -> tuple[Path, ...]:
        return (self._plist(label),)

    def render(self, agent: Agent) -> dict[Path, bytes]:
        return {self._plist(agent["Label"]): render_plist(agent)}

    def read_environment(self, label: str) -> Mapping[str, str]:
        try:
            environment: Mapping[str, str] = self._read(label)["EnvironmentVariables"]
        except UNREADABLE:
            return {}
        return environment

    def read_schedule(self, label: str) -> Schedule | None:
        try:
            return from_intervals(self._read(label)["StartCalendarInterval"])
        except UNREADABLE:
            return None

    def _read(self, label: str) -> Agent:
        """An installed agent. Raises one of UNREADABLE."""
        agent: Agent = plistlib.loads(self._plist(label).read_bytes())
        return agent

    def find(self, label: str) -> Loaded | None:
        for domain in self.domains:
            if (printed := self._print(f"{domain}/{label}")) is not None:
                return parse_print(printed, domain, not self._is_disabled(label))
        return None

    def is_loaded_as(self, agent: Agent) -> bool:
        loaded = self.find(agent["Label"])
        if loaded is None or not loaded.is_enabled:
            return False
        times = agent.get("StartCalendarInterval")
        wanted = as_text(from_intervals(times)) if times else None
        # What some version of macOS does not print is not taken for a difference,
        # or installing there would load the agents anew each time.
        return loaded.program in ("", " ".join(agent["ProgramArguments"])) and (
            loaded.schedule in (None, wanted)
        )

    def load(self, label: str) -> None:
        """Bootstrap into the user's screen session, else into the one without."""
        refusal: AgentError | None = None
        for domain in self.domains:
            if self._print(domain) is None:
                continue
            self._do("enable", f"{domain}/{label}")
            outcome = self._bootstrap(domain, label)
            if outcome.code == 0:
                return
            refusal = failure(self._command("bootstrap", domain), outcome)
            if outcome.code != WRONG_DOMAIN:
                raise refusal
        raise refusal or AgentError(
            f"launchd has neither {self.domains[0]} nor {self.domains[1]}: log in on "
            "this Mac as the user who shall run the agents, and install again"
        )

    def unload(self, label: str) -> None:
        """Boot the job out of both domains, and wait until it is gone."""
        for domain in self.domains:
            target = f"{domain}/{label}"
            if self._print(target) is None:
                continue
            outcome = self._call("bootout", target)
            until = self.clock() + UNLOAD_TIMEOUT_S
            while self._print(target) is not None:
                # It is gone or going, or launchctl does not want to.
                if outcome.code not in (0, NO_PROCESS, NO_SERVICE, IN_PROGRESS):
                    raise failure(self._command("bootout", target), outcome)
                if self.clock() >= until:
                    raise AgentError(
                        f"{target} has not ended {UNLOAD_TIMEOUT_S} seconds after "
                        "bootout: look at it with "
                        f"`launchctl print {target}`, and try again"
                    )
                self.sleep(POLL_S)

    def forget(self) -> None:
        """launchd reads the folder anew at each login."""

    def start(self, label: str) -> bool:
        loaded = self.find(label)
        if loaded is None:
            raise AgentError(
                advice.run(f"{label} is not loaded", None, "agents", "install")
            )
        if loaded.is_running:
            return False
        self._do("kickstart", f"{loaded.domain}/{label}")
        return True

    def advise(self) -> list[str]:
        if self._print(self.domains[0]) is not None:
            return []
        return [
            f"nobody is logged in on the screen, so the agents are in "
            f"{self.domains[1]}: after a restart of the Mac they come back when "
            "this user logs in"
        ]

    def _plist(self, label: str) -> Path:
        return self.home / "Library" / "LaunchAgents" / f"{label}.plist"

    def _bootstrap(self, domain: str, label: str) -> Outcome:
        for _ in range(BOOTSTRAP_TRIES - 1):
            outcome = self._call("bootstrap", domain, str(self._plist(label)))
            if outcome.code != IO_ERROR:
                return outcome
            self.sleep(1)
        return self._call("bootstrap", domain, str(self._plist(label)))

    def _is_disabled(self, label: str) -> bool:
        printed = self._call("print-disabled", self.domains[1]).out
        return bool(re.search(rf'"{re.escape(label)}" => (disabled|true)', printed))

    def _print(self, target: str) -> str | None:
        """What launchd knows of a domain or job, None if there is none."""
        outcome = self._call("print", target)
        if outcome.code in (NO_PROCESS, NO_DOMAIN, NO_SERVICE, WRONG_DOMAIN):
            return None
        if outcome.code != 0:
            raise failure(self._command("print", target), outcome)
        return outcome.out

    def _do(self, *arguments: str) -> None:
        outcome = self._call(*arguments)
        if outcome.code != 0:
            raise failure(self._command(*arguments), outcome)

    def _call(self, *arguments: str) -> Outcome:
        return self.run(self._command(*arguments))

    @staticmethod
    def _command(*arguments: str) -> Sequence[str]:
        return (LAUNCHCTL, *arguments)


def render_plist(agent: Agent) -> bytes:
    """The agent as an XML property list, in the template's order."""
    return plistlib.dumps(agent, sort_keys=False)


def parse_print(printed: str, domain: str, is_enabled: bool) -> Loaded:
    """What `launchctl print <domain>/<label>` says of a job.

    Its format is for people and changes between versions of macOS: only what is
    one tab deep is taken, because names such as `state` recur further in.
    """
    values, blocks = _split(printed)
    code = re.match(r"\d+", values.get("last exit code", ""))
    pid = values.get("pid", "")
    return Loaded(
        domain=domain,
        is_running=values.get("state") == "running",
        is_enabled=is_enabled,
        program=" ".join(line[2:] for line in blocks.get("arguments", ())),
        schedule=_find_schedule(blocks.get("event triggers", ())),
        last_exit_code=int(code[0]) if code else None,
        last_signal=values.get("last terminating signal"),
        pid=int(pid) if pid.isdigit() else None,
    )


def _split(printed: str) -> tuple[dict[str, str], dict[str, list[str]]]:
    """The `key = value` lines and `key = { … }` blocks that are one tab deep."""
    values: dict[str, str] = {}
    blocks: dict[str, list[str]] = {}
    block: list[str] | None = None
    for line in printed.split("\n"):
        if line == "\t}":
            block = None
        elif block is not None:
            block.append(line)
        elif re.match(r"\t[^\t]", line):
            key, _, value = line.strip().partition(" = ")
            if value == "{":
                block = blocks.setdefault(key, [])
            else:
                values[key] = value
    return values, blocks


def _find_schedule(triggers: Sequence[str]) -> str | None:
    times = []
    for described in DESCRIPTOR.findall("\n".join(triggers)):
        hour, minute = HOUR.search(described), MINUTE.search(described)
        if minute is not None:
            times.append(ClockTime(int(hour[1]) if hour else None, int(minute[1])))
    return as_text(normal(times)) or None
