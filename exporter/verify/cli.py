"""`ops-atomic verify` writes down how an installation stands; `doctor` helps."""

from __future__ import annotations

import sys

import click

from exporter.flags import FAILURE, chosen_root, root_option
from exporter.screen import Screen


@click.command("verify")
@root_option
@click.option("--trigger", is_flag=True, help="Run an export first.")
def verify_command(root: str | None, trigger: bool) -> None:
    """Check the whole installation and write a report.

    Exit code 0 when all that can be checked on this system is as it should be.
    """
    # Here, because it brings all the rest along.
    from exporter.datasets import load_datasets
    from exporter.errors import describe
    from exporter.stop import Stopped
    from exporter.verify.checks import FULL, verdict
    from exporter.verify.report import write_report
    from exporter.verify.run import run_checks
    from ingest.documents import utc_now

    where, screen, now = chosen_root(root), Screen(), utc_now()
    datasets = load_datasets()
    try:
        checks = list(run_checks(where, datasets, now, trigger))
    except Stopped as stopped:
        screen.fail(stopped.reason)
        sys.exit(stopped.code)
    for check in checks:
        screen.note(f"{check.name}: {check.actual}", *MARKS[check.status])
    try:
        screen.note(f"Report: {write_report(where, datasets, checks, now)}")
    except OSError as error:
        screen.fail(describe(error))
        sys.exit(FAILURE)
    said = verdict(checks)
    screen.note(f"Verdict: {said}")
    sys.exit(0 if said == FULL else FAILURE)


@click.command("doctor")
@root_option
def doctor_command(root: str | None) -> None:
    """Say what is to be mended, and with which command.

    Exit code 0 when there is nothing to mend. Writes nothing.
    """
    from exporter.datasets import load_datasets
    from exporter.verify.run import run_checks
    from ingest.documents import utc_now

    where, screen = chosen_root(root), Screen()
    ill = False
    for check in run_checks(where, load_datasets(), utc_now()):
        ill |= check.is_to_be_mended
        mend = f" → {check.mend}" if check.mend and check.is_to_be_mended else ""
        screen.note(f"{check.name}: {check.actual}{mend}", *MARKS[check.status])
    sys.exit(FAILURE if ill else 0)


# The mark and color of a status.
MARKS = {
    "pass": ("✓", "green"),
    "fail": ("✗", "red"),
    "pending": ("…", "yellow"),
    "n/a": ("⊘", "cyan"),
}
