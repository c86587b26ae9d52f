"""How the agents stand, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from exporter.agents.errors import AgentError, AgentRefused
from exporter.agents.heartbeats import Beats, count_beats
from exporter.agents.jobs import Installation, Job, file_mode, fill_agent
from exporter.agents.schedule import next_start
from exporter.agents.service import check_project, is_in_place, jobs_of
from exporter.agents.successes import is_due, last_success
from exporter.agents.system import Loaded, System
from ingest import advice
from ingest.root import Root

# What launchd itself, and the wrapper, end a job with that is not set up.
NOT_SET_UP = 78


@dataclass(frozen=True)
class AgentStatus:
    """How one agent stands; `problems` is empty when all is well."""

    job: Job
    is_installed: bool
    loaded: Loaded | None
    root: str | None
    problems: list[str]
    beats: Beats | None = None
    last_success: datetime | None = None
    is_due: bool = False

    @property
    def next_start(self) -> datetime | None:
        """When it starts next, on the machine's clock; None when it does not."""
        if self.loaded is None or not self.loaded.is_enabled or not self.job.times:
            return None
        # launchd and systemd go by the machine's clock, as its owner does.
        return next_start(self.job.times, datetime.now().astimezone())

    @property
    def success(self) -> str:
        """When it last succeeded and whether today's is due, in words."""
        due = "due" if self.is_due else "nothing due"
        if self.last_success is None:
            return f"no success yet, {due}"
        at = self.last_success.astimezone()
        return f"last success: {at:%Y-%m-%d %H:%M %Z}, {due}"

    def as_json(self) -> dict[str, Any]:
        """The status as the JSON object that `status --json` lists."""
        loaded = asdict(self.loaded) if self.loaded else {}
        return {
            "label": self.job.label,
            "installed": self.is_installed,
            "loaded": self.loaded is not None,
            "domain": loaded.get("domain"),
            "enabled": loaded.get("is_enabled"),
            "running": loaded.get("is_running"),
            "pid": loaded.get("pid"),
            "last_exit_code": loaded.get("last_exit_code"),
            "last_signal": loaded.get("last_signal"),
            "schedule": loaded.get("schedule"),
            "next_start": self.next_start.isoformat() if self.next_start else None,
            "program": loaded.get("program"),
            "root": self.root,
            "last_success": (
                self.last_success.isoformat() if self.last_success else None
            ),
            "due": self.is_due,
            "heartbeats": self.beats.as_json() if self.beats else None,
            "problems": self.problems,
        }


def find_statuses(system: System, project: Path) -> list[AgentStatus]:
    """How the agents of this machine stand, and what is wrong with them."""
    return [_find_status(system, project, job) for job in jobs_of(system, {})]


def _install(said: str, root: str | None) -> str:
    """What is wrong, and the command that installs the agents for their root."""
    place = Root(Path(root)) if root else None
    return advice.run(said, place, "agents", "install")


def _find_status(system: System, project: Path, job: Job) -> AgentStatus:
    environment = system.read_environment(job.label)
    root = environment.get("OPS_ATOMIC_ROOT")
    is_installed = all(path.exists() for path in system.paths(job.label))
    try:
        loaded = system.find(job.label)
    except AgentError as error:
        return AgentStatus(job, is_installed, None, root, [str(error)])
    problems = []
    if not is_installed:
        problems.append(_install("not installed", root))
    elif loaded is None:
        problems.append(_install("installed, but not loaded", root))
    if is_installed and root is None:
        problems.append(_install("its file cannot be read", root))
    elif is_installed and root:
        place = Installation(project, Path(root))
        problems += _find_faults_of_files(system, job, place, environment)
    if loaded:
        problems += _find_faults_of_job(job, loaded, root)
    beats = count_beats(Path(root)) if root and job.runs_for_ever else None
    if beats and loaded and loaded.is_running and beats.is_silent and root:
        log = Root(Path(root)).logs / "ops_monitor.loop.err.log"
        problems.append(
            f"it runs, but writes no heartbeats: run tail {advice.path(log)}"
        )
    succeeded = last_success(Root(Path(root)), job) if root else None
    due = is_due(job, succeeded, datetime.now().astimezone())
    return AgentStatus(job, is_installed, loaded, root, problems, beats, succeeded, due)


def _find_faults_of_files(
    system: System, job: Job, place: Installation, environment: Mapping[str, str]
) -> list[str]:
    faults = []
    try:
        system.check(place)
        check_project(place)
        agent = fill_agent(job, place, environment)
    except AgentRefused as refusal:
        return [str(refusal)]
    if not place.root.is_dir():
        faults.append(
            _install(f"the root {place.root} is gone: make it, or name another", None)
        )
    elif not place.logs.is_dir():
        said = f"{place.logs} is gone, and with it the log"
        faults.append(_install(said, str(place.root)))
    if not all(
        is_in_place(path, content, file_mode(agent))
        for path, content in system.render(agent).items()
    ):
        said = "not as this version of the project installs it"
        faults.append(_install(said, str(place.root)))
    return faults


def _find_faults_of_job(job: Job, loaded: Loaded, root: str | None) -> list[str]:
    faults = []
    if not loaded.is_enabled:
        faults.append(_install("disabled", root))
    if job.runs_for_ever and not loaded.is_running:
        faults.append("loaded, but it does not run at this moment")
    if not job.runs_for_ever and loaded.schedule != job.schedule:
        said = f"scheduled for {loaded.schedule or 'no time'}, not {job.schedule}"
        faults.append(_install(said, root))
    logs = "see its log"
    if root:
        log = Root(Path(root)).logs / f"{job.label}.err.log"
        logs = f"run tail {advice.path(log)}"
    if loaded.last_signal:
        faults.append(f"its last run was ended by a signal ({loaded.last_signal})")
    elif loaded.last_exit_code == NOT_SET_UP:
        faults.append(f"its last run could not start, something is missing: {logs}")
    elif loaded.last_exit_code:
        faults.append(
            f"its last run ended with exit code {loaded.last_exit_code}: {logs}"
        )
    return faults
