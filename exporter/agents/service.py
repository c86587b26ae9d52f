"""Put agents in place and take them away, on launchd and systemd alike."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from exporter.agents.errors import AgentError, AgentRefused
from exporter.agents.jobs import (
    ALL_JOBS,
    JOBS,
    Agent,
    Installation,
    Job,
    file_mode,
    fill_agent,
    operator_variables,
)
from exporter.agents.launchd import Launchd, render_plist
from exporter.agents.processes import Runner, run_program
from exporter.agents.schedule import Schedule
from exporter.agents.system import System
from exporter.agents.systemd import Systemd
from exporter.agents.units import render_units
from ingest import advice
from ingest.files import write_exactly


class Change(NamedTuple):
    """What was done with one agent: installed, updated, unchanged, removed, absent."""

    job: Job
    action: str


def this_system(run: Runner = run_program) -> System:
    """The manager of jobs on this machine. Raises AgentError if none is known."""
    home = Path.home()
    if sys.platform == "darwin":
        return Launchd(run, home, os.getuid())
    if sys.platform == "linux":
        config = Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config")
        return Systemd(run, config / "systemd" / "user", os.getuid())
    raise AgentError(
        f"there are agents for macOS and Linux only, not for {sys.platform}: start "
        "launchagents/run_export.sh with whatever starts jobs here"
    )


def jobs_of(system: System, asked: Mapping[str, Schedule]) -> list[Job]:
    """The agents of this machine, each with its own times.

    Those that are `asked` for, by label; else those that it is installed with;
    else those it is meant to have. What is not there on every machine is one of
    them only where it is asked for or installed.
    """
    jobs = []
    for job in ALL_JOBS:
        if job in JOBS or job.label in asked or is_installed(system, job):
            times = asked.get(job.label) or system.read_schedule(job.label)
            jobs.append(job._replace(times=times or job.times))
    return jobs


def is_installed(system: System, job: Job) -> bool:
    """Whether any of its files is there."""
    return any(os.path.lexists(path) for path in system.paths(job.label))


def render(place: Installation, environ: Mapping[str, str], output: Path) -> list[Path]:
    """Write the files of all agents, for both systems, into one folder."""
    written = []
    for job in ALL_JOBS:
        agent = fill_agent(job, place, environ)
        files = {f"{job.label}.plist": render_plist(agent)} | {
            name: text.encode() for name, text in render_units(agent).items()
        }
        for name, content in files.items():
            _write(output / name, content, file_mode(agent))
            written.append(output / name)
    return written


def install(
    system: System,
    place: Installation,
    environ: Mapping[str, str],
    asked: Mapping[str, Schedule] | None = None,
) -> list[Change]:
    """Put the agents in place and load them; what is as it should be stays.

    `asked` are times by label that differ from those installed or meant.
    A variable of the operator's that is not set keeps the value it was
    installed with, so that an upgrade from another shell does not silence the
    notices; one that is set to nothing is dropped. Raises AgentRefused, and
    changes nothing, when the agents could not work.
    """
    system.check(place)
    check_project(place)
    agents = {
        job: fill_agent(job, place, _keep_variables(system, job, environ))
        for job in jobs_of(system, asked or {})
    }
    # launchd does not make it, and ends a job that cannot open its log with 78.
    place.logs.mkdir(parents=True, exist_ok=True)
    return [
        Change(job, _install_one(system, agent, file_mode(agent)))
        for job, agent in agents.items()
    ]


def uninstall(system: System, jobs: Sequence[Job] = ALL_JOBS) -> list[Change]:
    """Unload agents and remove their files; logs and data stay."""
    changes = []
    for job in jobs:
        paths = [path for path in system.paths(job.label) if os.path.lexists(path)]
        is_absent = not paths and system.find(job.label) is None
        if is_absent and job not in JOBS:
            continue  # it was never asked for
        system.unload(job.label)
        for path in paths:
            path.unlink()
        changes.append(Change(job, "absent" if is_absent else "removed"))
    system.forget()
    return changes


def _install_one(system: System, agent: Agent, mode: int) -> str:
    label = agent["Label"]
    files = system.render(agent)
    is_new = not any(path.exists() for path in files)
    is_same = all(is_in_place(path, content, mode) for path, content in files.items())
    if is_same and system.is_loaded_as(agent):
        return "unchanged"
    # Unloaded first: then what is loaded always came from the files in place,
    # wherever an install is cut short.
    system.unload(label)
    for path, content in files.items():
        _write(path, content, mode)
    system.load(label)
    if system.find(label) is None:
        raise AgentError(f"{system.name} took {label}, but does not show it as loaded")
    return "installed" if is_new else "updated"


def _keep_variables(
    system: System, job: Job, environ: Mapping[str, str]
) -> dict[str, str]:
    kept = system.read_environment(job.label)
    return {name: kept[name] for name in operator_variables() if name in kept} | {
        **environ
    }


def check_project(place: Installation) -> None:
    """Raise AgentRefused if the wrapper could not start the command."""
    if not os.access(place.wrapper, os.X_OK):
        raise AgentRefused(
            f"{place.wrapper} cannot be run: run chmod +x {advice.path(place.wrapper)}"
        )
    if not os.access(place.venv / "bin" / "ops-atomic", os.X_OK):
        raise AgentRefused(
            f"there is no {place.venv}/bin/ops-atomic for the agents to run: run "
            f"make -C {advice.path(place.project)} venv"
        )


def is_in_place(path: Path, content: bytes, mode: int) -> bool:
    """Whether a file holds just that, and is open to just those."""
    try:
        return path.read_bytes() == content and path.stat().st_mode & 0o777 == mode
    except OSError:
        return False


def _write(path: Path, content: bytes, mode: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    # Exactly so: launchd refuses a file that others may write to.
    write_exactly(path, content, mode)
