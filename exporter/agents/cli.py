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
from exporter.agents.jobs import LABELS, Place
from exporter.agents.status import AgentStatus, find_statuses
from ingest.root import PROJECT, RootNotFound, find_root

P = ParamSpec("P")
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
        except (AgentRefused, RootNotFound) as refusal:
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
    com.02luka.parquet_export at 05:00. Both run the same full export, so one that
    is missed or comes twice does no harm.
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
    """Write both agents' files into a folder.

    For every system: launchd's plists and systemd's units, just as install would
    write them. Nothing else is changed.
    """
    for path in service.render(_find_place(root), os.environ, output):
        click.echo(f"✓ Wrote {path}")


@agents.command("install")
@click.option("--root", metavar="P", help=ROOT_HELP)
@_tell_errors
def install_agents(root: str | None) -> None:
    """Put both agents in place and load them.

    OPS_ATOMIC_NOTIFY, OPS_ATOMIC_PING_URL and the variables that set a limit for
    warnings are handed to the agents when they are set, kept as installed when
    they are not, and dropped when set to nothing.
    Installing again changes only what is not as it should be.
    """
    system = service.this_system()
    place = _find_place(root)
    for job, action in service.install(system, place, os.environ):
        click.echo(f"{MARKS[action]} {job.label} ({job.schedule}, {system.name})")
    click.echo(f"  root {place.root}")
    click.echo(f"  logs {place.logs}")
    for advice in system.advise():
        click.echo(f"note: {advice}", err=True)


@agents.command("uninstall")
@_tell_errors
def uninstall_agents() -> None:
    """Unload both agents and remove their files.

    Logs and data stay. On Linux a run under way is left to finish.
    """
    for job, action in service.uninstall(service.this_system()):
        click.echo(f"{MARKS[action]} {job.label}")


@agents.command("status")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@_tell_errors
def show_status(as_json: bool) -> None:
    """Show how both agents stand.

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
@click.argument("label", metavar="LABEL", type=click.Choice(LABELS))
@_tell_errors
def run_agent(label: str) -> None:
    """Start one agent now, as its schedule would.

    LABEL is com.02luka.analytics.parquet or com.02luka.parquet_export.
    """
    if service.this_system().start(label):
        click.echo(f"✓ Started {label}; `ops-atomic agents status` shows how it ends")
    else:
        click.echo(f"⊘ {label} is running already")


def _find_place(named: str | None) -> Place:
    root = find_root(named)
    if root.is_example:
        click.echo(
            f"note: no root is configured, so the example {root.path} is used: "
            "name yours with --root",
            err=True,
        )
    return Place(PROJECT, root.path)


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
    lines = [f"{mark} {status.job.label}  {status.job.schedule}"]
    if loaded := status.loaded:
        state = f"running (pid {loaded.pid})" if loaded.is_running else "waiting"
        code = loaded.last_exit_code
        last = loaded.last_signal or ("never ended" if code is None else f"exit {code}")
        lines[0] += f"  {state}, last run: {last}  [{loaded.domain}]"
    return "\n".join(lines + [f"    {problem}" for problem in status.problems])
