"""Agents as systemd units: the same job, written for a Linux user manager."""

from __future__ import annotations

import re

from exporter.agents.jobs import Agent
from exporter.agents.schedule import ClockTime, Schedule, from_intervals, normal

CALENDAR = re.compile(r"OnCalendar=\*-\*-\* (\*|\d\d):(\d\d):00")
ESCAPES = {"\\": "\\\\", '"': '\\"', "%": "%%", "\n": "\\n", "\t": "\\t"}
ESCAPED = re.compile(r"%%|\\(.)")
LETTERS = {"n": "\n", "t": "\t"}


def render_units(agent: Agent) -> dict[str, str]:
    """The service and the timer of an agent, by file name."""
    label = agent["Label"]
    if agent.get("KeepAlive"):
        return {f"{label}.service": _render_service(agent)}
    return {
        f"{label}.service": _render_service(agent),
        f"{label}.timer": _render_timer(agent),
    }


def _render_service(agent: Agent) -> str:
    variables = "\n".join(
        f"Environment={_quote(f'{name}={value}')}"
        for name, value in agent["EnvironmentVariables"].items()
    )
    # Through sh, because systemd refuses a program with a quote or a backslash
    # in its path; in arguments `$` would be expanded, and `$$` stands for it.
    words = " ".join(
        _quote(word).replace("$", "$$") for word in agent["ProgramArguments"]
    )
    is_kept = agent.get("KeepAlive")
    begins = """\
Type=exec
Restart=always
RestartSec=10
# SIGTERM is how it is meant to end.
SuccessExitStatus=143"""
    ends = f"""\
TimeoutStopSec={agent["ExitTimeOut"]}

[Install]
WantedBy=default.target"""
    if not is_kept:
        begins = "Type=oneshot"
        ends = f"""\
Nice={agent["Nice"]}
IOSchedulingClass=idle
# Well beyond --wait and --timeout together: ends only a run that hangs.
TimeoutStartSec=1800
TimeoutStopSec={agent["ExitTimeOut"]}"""
    return f"""\
[Unit]
Description=ops-atomic {_name(agent)} ({agent["Label"]})

[Service]
{begins}
ExecStart=/bin/sh {words}
WorkingDirectory={_raw(agent["WorkingDirectory"])}
{variables}
StandardOutput=append:{_raw(agent["StandardOutPath"])}
StandardError=append:{_raw(agent["StandardErrorPath"])}
{ends}
"""


def _name(agent: Agent) -> str:
    """What it runs: the first word after the wrapper, else the export."""
    words: list[str] = agent["ProgramArguments"][1:]
    return words[0] if words else "export"


def _render_timer(agent: Agent) -> str:
    times = "\n".join(
        f"OnCalendar=*-*-* {'*' if at.hour is None else f'{at.hour:02}'}"
        f":{at.minute:02}:00"
        for at in from_intervals(agent["StartCalendarInterval"])
    )
    return f"""\
[Unit]
Description=ops-atomic {_name(agent)} by the clock ({agent["Label"]})

[Timer]
{times}
# Catches up a slot that was missed while the machine was off.
Persistent=true

[Install]
WantedBy=timers.target
"""


def read_environment(service: str) -> dict[str, str]:
    """The variables that a service of ours sets."""
    variables = {}
    for line in service.split("\n"):
        if line.startswith('Environment="'):
            name, _, value = _unquote(line.removeprefix("Environment=")).partition("=")
            variables[name] = value
    return variables


def read_schedule(timer: str) -> Schedule | None:
    """The times of a timer, from its file or from what systemd shows of it."""
    times = (
        ClockTime(None if hour == "*" else int(hour), int(minute))
        for hour, minute in CALENDAR.findall(timer)
    )
    return normal(times) or None


def _quote(text: str) -> str:
    """A word for settings that systemd splits into words."""
    return '"' + "".join(ESCAPES.get(letter, letter) for letter in text) + '"'


def _unquote(word: str) -> str:
    return ESCAPED.sub(
        lambda found: LETTERS.get(found[1], found[1]) if found[1] else "%", word[1:-1]
    )


def _raw(path: str) -> str:
    """A path for settings that systemd takes whole, quotes and all."""
    return path.replace("%", "%%")
