"""`ops-atomic verify` writes down how an installation stands; `doctor` helps."""

from __future__ import annotations

import sys
from dataclasses import asdict

import click

from exporter.cli.flags import (
    FAILURE,
    chosen_machine,
    chosen_present,
    chosen_root,
    json_option,
    print_json,
    root_option,
)
from exporter.reporting.screen import COMMAND, Screen
from ingest import advice


@click.command("verify")
@root_option
@click.option("--trigger", is_flag=True, help="Run an export first.")
def verify_command(root: str | None, trigger: bool) -> None:
    """Check the whole installation and write a report.

    Exit code 1 when something is not as it should be; 0 when all is well, or
    some of it has not happened yet.
    """
    # Here, because it brings all the rest along.
    from exporter.contracts.kept import load_tables
    from exporter.runtime.errors import describe
    from exporter.runtime.stop import Stopped
    from exporter.verify.checks import PARTIAL, verdict
    from exporter.verify.report import write_report
    from exporter.verify.run import run_checks, trigger_export

    where, screen, now = chosen_root(root), Screen(), chosen_present()
    chosen_machine(where)
    datasets, _ = load_tables()
    try:
        checks = []
        if trigger:
            with screen.progress("Running an export first"):
                checks.append(trigger_export(where))
        with screen.progress("Looking at the installation"):
            checks += run_checks(where, datasets, now)
    except Stopped as stopped:
        screen.fail(stopped.reason)
        sys.exit(stopped.code)
    for check in checks:
        screen.note(f"{check.name}: {check.actual}", *MARKS[check.status])
    said = verdict(checks)
    if where.looks_wrong:
        # The report would make it look right.
        screen.note(f"Verdict: {said}")
        screen.fail(
            f"no report is written: {advice.wrong_root(where)}, or make it one"
            f"{advice.RUN}{advice.make_root(where)}"
        )
        sys.exit(FAILURE)
    try:
        screen.note(f"Report: {write_report(where, datasets, checks, now)}")
    except OSError as error:
        screen.fail(describe(error))
        sys.exit(FAILURE)
    screen.note(f"Verdict: {said}")
    sys.exit(FAILURE if said == PARTIAL else 0)


@click.command("doctor")
@root_option
@json_option
@click.option("--quiet", is_flag=True, help="Say only what is to be mended.")
def doctor_command(root: str | None, as_json: bool, quiet: bool) -> None:
    """Say what is to be mended, and with which command.

    Ends with a verdict, and with exit code 1 when something is to be mended.
    Writes nothing.
    """
    from exporter.contracts.kept import load_tables
    from exporter.verify.checks import PARTIAL, verdict
    from exporter.verify.run import run_checks

    where = chosen_root(root, silent=as_json or quiet)
    chosen_machine(where)
    screen = Screen(json=as_json)
    checks = []
    told: set[str] = set()
    with screen.progress("Looking at the installation"):
        for check in run_checks(where, load_tables()[0], chosen_present()):
            checks.append(check)
            if quiet and not check.is_to_be_mended:
                continue
            mend = ""
            if check.is_to_be_mended and check.mend and check.mend not in told:
                told.add(check.mend)
                mend = f"\n  {COMMAND}{check.mend}"
            screen.note(f"{check.name}: {check.actual}{mend}", *MARKS[check.status])
    said = verdict(checks)
    if as_json:
        print_json({"verdict": said, "checks": [asdict(check) for check in checks]})
    else:
        screen.note(f"Verdict: {said}")
    sys.exit(FAILURE if said == PARTIAL else 0)


# The mark and color of a status.
MARKS = {
    "pass": ("✓", "green"),
    "fail": ("✗", "red"),
    "pending": ("…", "yellow"),
    "n/a": ("⊘", "cyan"),
}
