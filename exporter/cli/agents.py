"""`ops-atomic agents`: the nightly schedule, on launchd and systemd."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import ParamSpec

import click

from exporter.agents import service
from exporter.agents.errors import AgentError, AgentRefused
from exporter.agents.heartbeats import find_other_monitor
from exporter.agents.jobs import (
    ALL_LABELS,
    JOBS,
    MONITOR,
    NIGHTLY,
    REFRESH,
    Installation,
    Job,
)
from exporter.agents.schedule import Schedule, daily, every
from exporter.agents.status import AgentStatus, find_statuses
from exporter.runtime.machine import BadMachine
from ingest import advice
from ingest.root import PROJECT, Root, RootNotFound, find_root

P = ParamSpec("P")
OFF = "off"
ROOT_HELP = "The folder that holds the reports."
MARKS = {
    "installed": "✓ Installed",
    "updated": "✓ Updated",
    "unchanged": "⊘ Nothing to change for",
    "removed": "✓ Removed",
    "absent": "⊘ Not installed:",
}


def _tell_errors(command: Callable[P, None]) -> Callable[P, None]:
    """Turn what an operator can act on into a message and an exit code."""

    @wraps(command)
    def told(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            command(*args, **kwargs)
        except (AgentRefused, BadMachine, RootNotFound) as refusal:
            raise click.UsageError(str(refusal)) from refusal
        except AgentError as error:
            raise click.ClickException(str(error)) from error
        except OSError as error:
            raise click.ClickException(str(error)) from error

    return told


@click.group()
def agents() -> None:
    """Run the export every night, by launchd or systemd.

    There are two agents: com.02luka.analytics.parquet at 02:30 and
    com.02luka.parquet_export at 05:00, unless they were installed with other
    times. Both run the same full export, so one that is missed or comes twice
    does no harm. A third one, com.02luka.parquet_refresh, runs it at fixed
    minutes of the hour, where it was asked for with `install --every`, and a
    fourth one, com.02luka.ops_atomic_monitor.loop, is the monitor, where it was
    asked for with `install --monitor`. Further jobs are installed by choice,
    with `install --jobs`.
    """


@agents.command("render")
@click.option(
    "--output",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="The folder to write into; made when it is missing.",
)
@click.option("--root", metavar="P", help=ROOT_HELP)
@_tell_errors
def render_agents(output: Path, root: str | None) -> None:
    """Write the agents' files into a folder.

    For every system: launchd's plists and systemd's units, just as install would
    write them. Nothing else is changed.
    """
    for path in service.render(_find_place(root), os.environ, output):
        click.echo(f"✓ Wrote {path}")


@agents.command("install")
@click.option("--root", metavar="P", help=ROOT_HELP)
@click.option(
    "--at", "times", multiple=True, metavar="NAME=HH:MM",
    help="Start `parquet`, `export` or a further job at another time of day.",
)  # fmt: skip
@click.option(
    "--every", "interval", metavar="10m",
    help="Export at fixed minutes of every hour as well; `off` ends it.",
)  # fmt: skip
@click.option(
    "--jobs", "names", default="", metavar="NAME,…",
    help=f"Install further jobs as well: {', '.join(job.name for job in NIGHTLY)}.",
)  # fmt: skip
@click.option("--monitor", is_flag=True, help="Install the monitor as well.")
@click.option("--force", is_flag=True, help="Even if another monitor runs.")
@_tell_errors
def install_agents(
    root: str | None,
    times: tuple[str, ...],
    interval: str | None,
    names: str,
    monitor: bool,
    force: bool,
) -> None:
    """Put the agents in place and load them.

    OPS_ATOMIC_NOTIFY, OPS_ATOMIC_PING_URL, OPS_ATOMIC_REPORT, OPS_ATOMIC_MACHINE
    and the variables that set a limit for warnings are handed to the agents when
    they are set, kept as installed when they are not, and dropped when set to
    nothing.
    Times that were asked for once are kept as well.
    Installing again changes only what is not as it should be.
    """
    asked = _asked_times(times, interval)
    system = service.this_system()
    for job in _asked_jobs(names):
        kept = system.read_schedule(job.label) or job.times
        asked.setdefault(job.label, kept)
    place = _find_place(root)
    _refuse_wrong_root(place)
    if monitor:
        _refuse_other_monitor(place, force)
        asked[MONITOR.label] = ()
    if interval == OFF:
        for job, action in service.uninstall(system, [REFRESH]):
            click.echo(f"{MARKS[action]} {job.label}")
    for job, action in service.install(system, place, os.environ, asked):
        when = job.schedule or "always"
        click.echo(f"{MARKS[action]} {job.label} ({when}, {system.name})")
    click.echo(f"  root {place.root}")
    click.echo(f"  logs {place.logs}")
    for note in system.advise():
        click.echo(f"note: {note}", err=True)


@agents.command("uninstall")
@_tell_errors
def uninstall_agents() -> None:
    """Unload the agents and remove their files.

    Logs and data stay. On Linux a run under way is left to finish.
    """
    for job, action in service.uninstall(service.this_system()):
        click.echo(f"{MARKS[action]} {job.label}")


@agents.command("status")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@_tell_errors
def show_status(as_json: bool) -> None:
    """Show how the agents stand, and when they start next.

    Exit code 0 when all is well, 1 when something is wrong with one of them;
    below it stands what, and what to do.
    """
    try:
        system = service.this_system()
    except AgentError as error:
        if not as_json:
            raise
        _print_json(None, [], [str(error)])
        sys.exit(1)
    found = find_statuses(system, PROJECT)
    if as_json:
        _print_json(system.name, found, [])
    else:
        for status in found:
            click.echo(_describe(status))
    sys.exit(1 if any(status.problems for status in found) else 0)


@agents.command("run")
@click.argument("label", metavar="LABEL", type=click.Choice(ALL_LABELS))
@_tell_errors
def run_agent(label: str) -> None:
    """Start one agent now, as its schedule would.

    LABEL is one of those that `agents status` shows.
    """
    if service.this_system().start(label):
        status = advice.command(None, "agents", "status")
        click.echo(f"✓ Started {label}; to see how it ends: run {status}")
    else:
        click.echo(f"⊘ {label} is running already")


def _asked_times(times: tuple[str, ...], interval: str | None) -> dict[str, Schedule]:
    """The times that were asked for, by label."""
    by_name = {job.name: job.label for job in (*JOBS, *NIGHTLY)}
    asked = {}
    try:
        for text in times:
            name, equals, at = text.partition("=")
            if not equals or name not in by_name:
                raise ValueError(
                    f"--at {text!r}: write {' or '.join(by_name)}, =, and a time of "
                    "day, such as --at parquet=02:30"
                )
            asked[by_name[name]] = daily(at)
        if interval not in (None, OFF):
            asked[REFRESH.label] = every(str(interval))
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    return asked


def _asked_jobs(names: str) -> list[Job]:
    """The jobs of `--jobs`."""
    by_name = {job.name: job for job in NIGHTLY}
    wanted = [name.strip() for name in names.split(",") if name.strip()]
    for name in wanted:
        if name not in by_name:
            raise click.UsageError(
                f"--jobs {name!r} is no job; there are {', '.join(by_name)}"
            )
    return [by_name[name] for name in wanted]


def _refuse_wrong_root(place: Installation) -> None:
    """The agents' logs would make it look right, and their exports end well."""
    root = Root(place.root)
    if root.looks_wrong:
        said = f"{advice.wrong_root(root)}, or make it one"
        raise AgentRefused(f"{said}{advice.RUN}{advice.make_root(root)}")


def _refuse_other_monitor(place: Installation, force: bool) -> None:
    """Two would write every heartbeat twice; and one without settings ends at once."""
    other = find_other_monitor(place.root)
    if other and not force:
        said = f"another monitor writes heartbeats ({other})"
        raise AgentRefused(
            f"{said}: end it and wait a quarter of an hour, or install with --force"
        )
    settings = Root(place.root).settings / "monitor.toml"
    if not settings.is_file():
        raise AgentRefused(
            advice.run(
                "the monitor has no settings", Root(place.root), "monitor", "--init"
            )
        )


def _find_place(named: str | None) -> Installation:
    root = find_root(named)
    if root.is_example:
        click.echo(
            f"note: no root is configured, so the example {root.path} is used: "
            "name yours with --root",
            err=True,
        )
    return Installation(PROJECT, root.path)


def _print_json(
    system: str | None, found: list[AgentStatus], errors: list[str]
) -> None:
    is_ok = not errors and not any(status.problems for status in found)
    click.echo(
        json.dumps(
            {
                "status": "ok" if is_ok else "failed",
                "system": system,
                "agents": [status.as_json() for status in found],
                "errors": errors,
            },
            ensure_ascii=False,
        )
    )


def _describe(status: AgentStatus) -> str:
    mark = "✗" if status.problems else "✓"
    lines = [f"{mark} {status.job.label}  {status.job.schedule or 'always'}"]
    if loaded := status.loaded:
        state = f"running (pid {loaded.pid})" if loaded.is_running else "waiting"
        code = loaded.last_exit_code
        last = loaded.last_signal or ("never ended" if code is None else f"exit {code}")
        lines[0] += f"  {state}, last run: {last}  [{loaded.domain}]"
    if at := status.next_start:
        lines.append(f"    next start: {at:%Y-%m-%d %H:%M %Z}")
        lines.append(f"    {status.success}")
    if status.beats:
        lines.append(f"    {status.beats}")
    return "\n".join(lines + [f"    {problem}" for problem in status.problems])
