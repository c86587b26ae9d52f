"""`ops-atomic export` does a run; `ingest` its first step alone."""

from __future__ import annotations

import sys
import traceback
from datetime import date
from typing import Any

import click

from exporter.cli.flags import (
    FAILURE,
    LOCKED,
    Dataset,
    Day,
    allow_empty_option,
    chosen_machine,
    chosen_present,
    dry_run_option,
    json_option,
    print_json,
    root_option,
    root_with_reports,
)
from exporter.export.land import land_everything
from exporter.export.run import Options, export
from exporter.publish.ledger import open_ledger
from exporter.publish.plan import Selection
from exporter.reporting.ignored import counted, unread_lines
from exporter.reporting.logs import log_crash, log_path
from exporter.reporting.results import FAILED
from exporter.reporting.screen import Screen
from exporter.runtime.errors import describe
from exporter.runtime.lock import Locked, give_back_lock, hold_lock
from exporter.runtime.machine import record_machine
from exporter.runtime.redact import redact
from exporter.runtime.stop import Stopped, stoppable
from ingest import advice
from ingest.text.numbers import count


@click.command("export")
@root_option
@click.option("--date", "day", type=Day(), help="Publish only this day.")
@click.option("--since", type=Day(), help="Publish from this day on.")
@click.option("--until", type=Day(), help="Publish up to this day, included.")
@click.option(
    "--historical", is_flag=True, help="Look at every input again, bundles included."
)
@click.option("--force", is_flag=True, help="Publish the days even if not stale.")
@click.option(
    "--dataset", "datasets", type=Dataset(), multiple=True,
    help="Only this dataset; may be given several times.",
)  # fmt: skip
@click.option(
    "--wait", "wait_s", type=click.FloatRange(0), default=0, metavar="S",
    help="Seconds to wait for another run to end. Default 0.",
)  # fmt: skip
@click.option(
    "--timeout", "timeout_s", type=click.FloatRange(0, min_open=True), metavar="S",
    help="Stop cleanly after so many seconds. Default: never.",
)  # fmt: skip
@dry_run_option
@allow_empty_option
@json_option
@click.option("--quiet", is_flag=True, help="Say only what is wrong.")
@click.option("--verbose", is_flag=True, help="Name every file.")
def export_command(
    root: str | None,
    day: date | None,
    since: date | None,
    until: date | None,
    historical: bool,
    force: bool,
    datasets: tuple[str, ...],
    wait_s: float,
    timeout_s: float | None,
    dry_run: bool,
    allow_empty: bool,
    as_json: bool,
    quiet: bool,
    verbose: bool,
) -> None:
    """Land everything new and publish every stale day."""
    if day and (since or until):
        raise click.UsageError("--date goes with neither --since nor --until")
    if historical and (day or since or until):
        raise click.UsageError(
            "--historical looks at everything: leave out --date, --since and --until"
        )
    if since and until and since > until:
        raise click.UsageError(f"--since {since} comes after --until {until}")
    if quiet and verbose:
        raise click.UsageError("--quiet and --verbose exclude each other")
    chosen_present()  # said before anything is done
    where = root_with_reports(root, allow_empty, silent=quiet or as_json)
    chosen_machine(where)
    options = Options(
        Selection(day or since, day or until, datasets, force),
        historical, dry_run, wait_s, timeout_s,
    )  # fmt: skip
    screen = Screen(quiet, verbose, as_json)
    with stoppable(timeout_s) as stopper:
        try:
            result = export(where, options, screen, stopper)
        except Locked as locked:
            _fail(str(locked), as_json, LOCKED)
        except Stopped as stopped:
            _fail(f"{stopped.reason}; what was published stays", as_json, stopped.code)
        except OSError as error:
            _fail(describe(error), as_json, FAILURE)
        except Exception as error:  # noqa: BLE001 - a defect of ours
            log_crash(where, redact(traceback.format_exc()))
            said = f"crashed: {type(error).__name__}: {error}"
            log = where.relative(log_path(where))
            _fail(f"{said} (where in the code: {log})", as_json, FAILURE)
    if as_json:
        print_json(result.as_json())
    sys.exit(FAILURE if result.errors else 0)


def _fail(message: str, as_json: bool, code: int) -> None:
    """End with a message; under --json as a result like any other."""
    message = redact(message)
    if as_json:
        empty: dict[str, Any] = {"status": FAILED, "dry_run": False, "duration_s": 0}
        print_json(empty | {"files": [], "warnings": [], "errors": [message]})
    else:
        Screen().fail(message)
    sys.exit(code)


@click.command("ingest")
@root_option
@click.option("--historical", is_flag=True, help="Look at every input again.")
@dry_run_option
@allow_empty_option
@json_option
def ingest_command(
    root: str | None, historical: bool, dry_run: bool, allow_empty: bool, as_json: bool
) -> None:
    """Land what is new, for those who go on with plain `dbt build`."""
    where = root_with_reports(root, allow_empty, silent=as_json)
    chosen_machine(where)
    screen = Screen(json=as_json)
    with stoppable(None):
        try:
            if not dry_run:
                hold_lock(where, "ops-atomic ingest")
                record_machine(where)
            ledger = open_ledger(where, dry_run)
            try:
                report = land_everything(
                    where, ledger, historical=historical, dry_run=dry_run,
                    say=screen.parsed, progress=screen.progress,
                )  # fmt: skip
                not_read = counted(report.ignored, unread_lines(ledger))
                ledger.close()
            finally:
                ledger.give_up()
        except Locked as locked:
            _fail(str(locked), as_json, LOCKED)
        except Stopped as stopped:
            _fail(stopped.reason, as_json, stopped.code)
        except OSError as error:
            _fail(describe(error), as_json, FAILURE)
        finally:
            give_back_lock(where)
    if as_json:
        print_json(report.as_json(dry_run))
    else:
        screen.landed()
        if not_read:
            said = f"Not read: {not_read}; to see which"
            screen.note(advice.run(said, where, "doctor"))
        for warning in report.warnings:
            screen.warn(warning)
        for problem in report.errors:
            screen.fail(problem)
        screen.note(
            "DRY RUN - no files written"
            if dry_run
            else f"Landed {count(report.records, 'new record')}"
        )
    sys.exit(FAILURE if report.errors else 0)
