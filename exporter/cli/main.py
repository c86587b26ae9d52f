"""The ops-atomic command line: flags in, exit codes out.

Exit codes: 0 done, 1 something failed, 2 wrong usage, 75 another run holds
the lock, 130 and 143 interrupted.
"""

from __future__ import annotations

import sys
import traceback
from datetime import date
from pathlib import Path
from typing import Any

import click

from exporter import __version__
from exporter.cli.agents import agents
from exporter.cli.dashboard import dashboard_command
from exporter.cli.flags import (
    FAILURE,
    LOCKED,
    Dataset,
    Day,
    allow_empty_option,
    chosen_machine,
    chosen_present,
    chosen_root,
    dry_run_option,
    json_option,
    print_json,
    root_option,
    root_with_reports,
)
from exporter.cli.fleet import fleet
from exporter.cli.monitor import monitor_command
from exporter.cli.notify import notify_command
from exporter.cli.rejects import rejects_command
from exporter.cli.verify import doctor_command, verify_command
from exporter.export.run import Options, export
from exporter.publish.ledger import open_ledger
from exporter.publish.plan import Selection
from exporter.reporting.ignored import counted
from exporter.reporting.logs import log_crash, log_path
from exporter.reporting.results import FAILED
from exporter.reporting.screen import Screen, kilobytes
from exporter.runtime.errors import describe
from exporter.runtime.lock import Locked, give_back_lock, hold_lock
from exporter.runtime.machine import record_machine
from exporter.runtime.output import hold_streams_open, say
from exporter.runtime.redact import redact
from exporter.runtime.stop import Stopped, stoppable
from ingest import advice


class _Commands(click.Group):
    """Tells in a line, whatever was asked for, of a broken contract and of what
    the operating system refuses, such as the state of another user."""

    def invoke(self, ctx: click.Context) -> Any:
        from exporter.contracts.datasets import BrokenContract

        try:
            return super().invoke(ctx)
        except (BrokenContract, OSError) as error:
            raise click.ClickException(redact(describe(error))) from error


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="ops-atomic")
def main() -> None:
    """Ops reports of one machine as typed, tested, documented daily Parquet."""
    hold_streams_open()


main.add_command(agents)
main.add_command(dashboard_command)
main.add_command(monitor_command)
main.add_command(fleet)
main.add_command(notify_command)
main.add_command(rejects_command)
main.add_command(verify_command)
main.add_command(doctor_command)


@main.command("export")
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


@main.command("ingest")
@root_option
@click.option("--historical", is_flag=True, help="Look at every input again.")
@dry_run_option
@allow_empty_option
@json_option
def ingest_command(
    root: str | None, historical: bool, dry_run: bool, allow_empty: bool, as_json: bool
) -> None:
    """Land what is new, for those who go on with plain `dbt build`."""
    from exporter.export.land import land_everything

    where = root_with_reports(root, allow_empty, silent=as_json)
    chosen_machine(where)
    screen = Screen(json=as_json)
    with stoppable(None):
        try:
            if not dry_run:
                hold_lock(where, "ops-atomic ingest")
                record_machine(where)
            ledger = open_ledger(where, dry_run)
            report = land_everything(
                where, ledger, historical=historical, dry_run=dry_run,
                say=screen.parsed, progress=screen.progress,
            )  # fmt: skip
            ledger.close()
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
        if report.ignored:
            said = f"Not read: {counted(report.ignored)}; to see which"
            screen.note(advice.run(said, where, "doctor"))
        for warning in report.warnings:
            screen.warn(warning)
        for problem in report.errors:
            screen.fail(problem)
        screen.note(
            "DRY RUN - no files written"
            if dry_run
            else f"Landed {report.records:,} new record(s)"
        )
    sys.exit(FAILURE if report.errors else 0)


@main.command("validate")
@root_option
@click.option("--date", "day", type=Day(), help="Only the files of this day.")
@json_option
def validate_command(root: str | None, day: date | None, as_json: bool) -> None:
    """Check every published file against its contract."""
    from exporter.contracts.datasets import load_datasets
    from exporter.verify.validate import validate

    where = chosen_root(root, silent=as_json)
    screen = Screen(json=as_json)
    with screen.progress("Checking every published file"):
        result = validate(where, load_datasets(), day)
    if as_json:
        print_json(result.as_json())
    else:
        for warning in result.warnings:
            screen.warn(warning)
        for error in result.errors:
            screen.fail(error)
        missing = f", {result.missing:,} missing" if result.missing else ""
        say(f"Files: {result.files:,}{missing}")
        say(f"Rows: {result.rows:,}")
        say(f"Size: {kilobytes(result.bytes)}")
        say(f"Compression: {', '.join(sorted(result.codecs)) or 'none'}")
        say(f"Validation: {'FAILED' if result.errors else 'OK'}")
    sys.exit(FAILURE if result.errors else 0)


@main.command("sample")
@click.argument("directory", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--days", type=click.IntRange(1), required=True, help="How many days.")
@click.option("--seed", default=1, help="Same seed, same bytes. Default 1.")
@click.option("--start", type=Day(), default="2025-01-01", help="The first day.")
def sample_command(directory: Path, days: int, seed: int, start: date) -> None:
    """Write a synthetic root of any size into DIR.

    From the second week on it has troubles to look for: in sixty days a check
    that is down for hours, one that flaps, a day of warnings, a silent monitor, a
    query that gets slower, an index that is advised and helps, rejects, a new
    column, growth.
    """
    from exporter.sample import write_sample

    try:
        with Screen().progress("Writing days", days) as step:
            count = write_sample(directory, days, seed, start, step)
    except (OSError, ValueError) as error:
        raise click.UsageError(str(error)) from error
    say(
        f"Wrote {count.days:,} day(s) into {directory}: {count.heartbeats:,} "
        f"heartbeats, {count.query_rows:,} query rows, {count.files:,} files "
        f"({kilobytes(count.size_bytes)})"
    )
