"""The agents: their declaration, and the template filled in for one."""

from __future__ import annotations

import plistlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from exporter.agents.errors import AgentRefused
from exporter.agents.schedule import (
    Schedule,
    as_intervals,
    as_text,
    daily,
    every,
    hourly,
)
from exporter.runtime import machine
from ingest.root import PROJECT

TEMPLATE = PROJECT / "launchagents" / "agent.plist.template"
PLACEHOLDER = re.compile(r"\{([\w.]+)\}")
OF_OPERATOR = "env."
SEARCH_PATH = "/opt/homebrew/bin:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"
CONTROL_CHARACTER = re.compile(r"[\x00-\x1f\x7f]")
# What XML 1.0 and systemd both take: several notice URLs may stand on lines.
UNWRITABLE_VALUE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")

# A launchd job as plistlib reads and writes it.
Agent = dict[str, Any]


class Job(NamedTuple):
    """One agent: its name on the command line, its label, and when it starts.

    `words` is the command that the wrapper hands to ops-atomic; none is the
    export. One without times runs for ever.
    """

    name: str
    label: str
    times: Schedule
    words: tuple[str, ...] = ()

    @property
    def runs_for_ever(self) -> bool:
        return not self.times

    @property
    def schedule(self) -> str:
        """When it starts, as `schedule.as_text` writes it."""
        return as_text(self.times)


JOBS = (
    # after the daily run, which writes the CSV files
    Job("parquet", "com.02luka.analytics.parquet", daily("02:30")),
    # after the optimizer, which writes the advisor's report and the summary
    Job("export", "com.02luka.parquet_export", daily("05:00")),
)
# Only where it is asked for: what is shown is then minutes old.
REFRESH = Job("refresh", "com.02luka.parquet_refresh", every("10m"))
MONITOR = Job("monitor", "com.02luka.ops_atomic_monitor.loop", (), ("monitor",))
# Installed by choice, each in place of a script of the machine's own.
NIGHTLY = (
    Job("rotate", "com.02luka.reports.rotate", hourly(0), ("rotate", "--wait", "600")),
    Job("daily", "com.02luka.ops_atomic_daily", daily("02:00"), ("daily", "--if-due")),
    # before the export, which reads what it writes
    Job("optimizer", "com.02luka.optimizer", daily("04:00"), ("optimize", "--if-due")),
    Job("digest", "com.02luka.digest", daily("09:00"), ("digest", "--if-due")),
)
ALL_JOBS = (*JOBS, REFRESH, MONITOR, *NIGHTLY)
# The password of what is watched is nobody else's.
ONLY_OF_MONITOR = ("OPS_ATOMIC_REDIS_PASSWORD",)
LABELS = tuple(job.label for job in JOBS)
ALL_LABELS = tuple(job.label for job in ALL_JOBS)


@dataclass(frozen=True)
class Installation:
    """Where an installation lies: the project, and the root that it exports."""

    project: Path
    root: Path

    @property
    def wrapper(self) -> Path:
        return self.project / "launchagents" / "run_export.sh"

    @property
    def venv(self) -> Path:
        return self.project / ".venv"

    @property
    def logs(self) -> Path:
        return self.root / "g" / "logs"


def fill_agent(job: Job, place: Installation, environ: Mapping[str, str]) -> Agent:
    """One agent as a launchd job: the template with every value filled in.

    Of `environ` only the variables that the template names are taken, and of
    those the ones that are not empty. Raises AgentRefused when a path or value
    cannot be written into a plist or a unit, BadMachine for a bad name.
    """
    for path in (place.project, place.root):
        _check_path(path)
    values: dict[str, object] = {
        "label": job.label,
        "times": as_intervals(job.times) if job.times else None,
        "program": [str(place.wrapper), *job.words],
        "folder": str(place.root if job.runs_for_ever else place.project),
        "keep_alive": job.runs_for_ever or None,
        # What macOS takes for background work it lets wait: no beat would be kept.
        "process_type": "Standard" if job.runs_for_ever else "Background",
        "is_low": None if job.runs_for_ever else True,
        "nice": None if job.runs_for_ever else 10,
        "root": str(place.root),
        "path": f"{place.venv / 'bin'}:{SEARCH_PATH}",
        "stdout": str(place.logs / f"{job.label}.out.log"),
        "stderr": str(place.logs / f"{job.label}.err.log"),
    }
    for name in operator_variables():
        if name in ONLY_OF_MONITOR and job.label != MONITOR.label:
            continue
        if value := environ.get(name):
            _check_value(name, value)
            if name == machine.VARIABLE:
                value = machine.check_name(value)
            values[OF_OPERATOR + name] = value
    agent: Agent = _fill(_read_template(), values)
    return agent


def operator_variables() -> tuple[str, ...]:
    """The variables that are taken over from the one who installs."""
    declared: Mapping[str, str] = _read_template()["EnvironmentVariables"]
    return tuple(
        found[1].removeprefix(OF_OPERATOR)
        for value in declared.values()
        if (found := PLACEHOLDER.fullmatch(value)) and found[1].startswith(OF_OPERATOR)
    )


def file_mode(agent: Agent) -> int:
    """The mode of the agent's files: private when notice URLs are in them."""
    held = agent["EnvironmentVariables"]
    return 0o600 if any(name in held for name in operator_variables()) else 0o644


def _read_template() -> Agent:
    template: Agent = plistlib.loads(TEMPLATE.read_bytes())
    return template


def _fill(node: Any, values: Mapping[str, object]) -> Any:
    """The node with each {name} replaced; keys without a value are left out."""
    if isinstance(node, dict):
        filled = {key: _fill(value, values) for key, value in node.items()}
        return {key: value for key, value in filled.items() if value is not None}
    if isinstance(node, list):
        return [_fill(value, values) for value in node]
    if isinstance(node, str) and (found := PLACEHOLDER.fullmatch(node)):
        name = found[1]
        return values.get(name) if name.startswith(OF_OPERATOR) else values[name]
    return node


def _check_path(path: Path) -> None:
    text = str(path)
    fault = None
    if not path.is_absolute():
        fault = "is not absolute"
    elif CONTROL_CHARACTER.search(text):
        fault = "has a control character in its name"
    elif text != text.rstrip() or text.endswith("\\"):
        fault = "ends in a blank or a backslash"
    elif not _is_unicode(text):
        fault = "is not valid UTF-8"
    if fault:
        raise AgentRefused(
            f"{text!r} {fault}, which launchd and systemd cannot be told: "
            "rename the folder"
        )


def _check_value(name: str, value: str) -> None:
    # The value may be a secret: it is not shown.
    if UNWRITABLE_VALUE.search(value) or not _is_unicode(value):
        raise AgentRefused(
            f"{name} has a character in it that no plist can hold: set it anew"
        )


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
