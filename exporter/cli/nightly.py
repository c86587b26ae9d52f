"""`ops-atomic daily` and `digest`: the jobs that tell people."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import datetime

import click

from exporter.cli.flags import FAILURE, chosen_present, root_option, root_with_reports
from exporter.reporting.screen import Screen
from exporter.runtime.errors import describe
from exporter.runtime.redact import redact
from ingest.root import Root

if_due_option = click.option(
    "--if-due", is_flag=True, help="Only if its last start has come to nothing."
)


@click.command("daily")
@root_option
@if_due_option
def daily_command(root: str | None, if_due: bool) -> None:
    """Write the daily run's report by phase.

    The monitor's checks, rotation, export, validation and disk, each PASS, WARN
    or FAIL, in g/reports/OPS_ATOMIC_YYMMDD_HHMMSS.md. Exit code 0 when it is
    written, whatever it says.
    """
    _run("daily", root, if_due, _write_daily)


@click.command("digest")
@root_option
@if_due_option
def digest_command(root: str | None, if_due: bool) -> None:
    """Write what happened in the last day and week, and what to do today.

    Into g/reports/ops_digest_YYYYMMDD.md, and as a message to those in
    OPS_ATOMIC_NOTIFY, once a day.
    """
    chosen_present()
    _run("digest", root, if_due, _write_digest)


def _run(
    name: str, named: str | None, if_due: bool, write: Callable[[Root, Screen], None]
) -> None:
    from exporter.agents.jobs import NIGHTLY
    from exporter.agents.successes import is_due, last_success, record_success

    where = root_with_reports(named, False)
    screen = Screen()
    job = next(job for job in NIGHTLY if job.name == name)
    now = datetime.now().astimezone()
    if if_due and not is_due(job, last_success(where, job), now):
        screen.note("Nothing is due", "⊘")
        return
    try:
        write(where, screen)
        record_success(where, name)
    except OSError as error:
        screen.fail(redact(describe(error)))
        sys.exit(FAILURE)


def _write_daily(root: Root, screen: Screen) -> None:
    from exporter.jobs.daily import write_daily

    path, state = write_daily(root)
    screen.note(f"Wrote {root.relative(path)}: {state}", "✓", "green")


def _write_digest(root: Root, screen: Screen) -> None:
    from exporter.jobs.digest import write_digest

    path, failures = write_digest(root)
    screen.note(f"Wrote {root.relative(path)}", "✓", "green")
    for failure in failures:
        screen.warn(f"{failure}: the digest waits for the next run")
