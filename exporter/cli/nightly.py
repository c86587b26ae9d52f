"""`ops-atomic daily`, `digest` and `optimize`: jobs that write what people read."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import click

from exporter.cli.flags import FAILURE, chosen_present, root_option, root_with_reports
from exporter.reporting.screen import Screen
from exporter.runtime.errors import describe
from exporter.runtime.redact import redact
from exporter.runtime.stop import Stopped, stoppable
from ingest.root import Root
from ingest.text.numbers import count

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


@click.command("optimize")
@root_option
@if_due_option
@click.option(
    "--database",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The SQLite database. Default: that of monitor.toml, else "
    "knowledge/02luka.db.",
)
@click.option(
    "--slow-ms",
    type=click.FloatRange(0),
    default=100,
    show_default=True,
    help="A query is slow whose p95 is above this, in milliseconds.",
)
@click.option(
    "--min-samples",
    type=click.IntRange(1),
    default=5,
    show_default=True,
    help="Executions that it takes to say so.",
)
@click.option(
    "--days",
    type=click.IntRange(1, 366),
    default=7,
    show_default=True,
    help="Days that are looked at, with today.",
)
@click.option(
    "--max-mb",
    type=click.IntRange(1),
    default=2048,
    show_default=True,
    help="A larger database is not copied.",
)
@click.option(
    "--max-seconds",
    type=click.FloatRange(1),
    default=300,
    show_default=True,
    help="Seconds to copy it and to measure.",
)
def optimize_command(
    root: str | None,
    if_due: bool,
    database: Path | None,
    slow_ms: float,
    min_samples: int,
    days: int,
    max_mb: int,
    max_seconds: float,
) -> None:
    """Advise indexes for slow queries, each measured on a copy of the database.

    Into knowledge/optimize/index_advisor_report.json and
    optimization_summary.txt, which the next export reads. The database is only
    read.
    """
    from exporter.optimize.report import Limits, optimize

    chosen_present()
    limits = Limits(slow_ms, min_samples, days, max_mb, max_seconds)

    def write(where: Root, screen: Screen) -> None:
        path = _database(where, database)
        with stoppable(None) as stopper:
            try:
                advice = optimize(where, path, limits, stopper.check)
            except Stopped as stopped:
                screen.fail(f"{stopped.reason}; the database is as it was")
                sys.exit(stopped.code)
        if advice.skipped:
            screen.note(f"Not measured: {redact(advice.skipped)}", "⊘")
            return
        screen.note(
            f"{count(len(advice.slow), 'slow query', 'slow queries')}, "
            f"{count(len(advice.found), 'index', 'indexes')} advised",
            "✓",
            "green",
        )

    _run("optimizer", root, if_due, write)


def _database(root: Root, named: Path | None) -> Path:
    """The one that is named, that the monitor looks at, or the usual one."""
    from monitor.section import BadSetting
    from monitor.settings import read_settings, settings_path

    if named is not None:
        return named.expanduser().absolute()
    watched = None
    if settings_path(root.path).exists():
        try:
            watched = read_settings(root.path).database
        except BadSetting as error:
            raise click.UsageError(str(error)) from error
    path = Path(watched.path if watched else "knowledge/02luka.db").expanduser()
    return (root.path / path).absolute()


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
