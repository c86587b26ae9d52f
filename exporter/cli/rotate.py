"""`ops-atomic rotate`: old reports into bundles."""

from __future__ import annotations

import sys

import click

from exporter.cli.flags import (
    FAILURE,
    LOCKED,
    dry_run_option,
    json_option,
    print_json,
    root_option,
    root_with_reports,
)
from exporter.reporting.screen import Screen
from exporter.runtime.errors import describe
from exporter.runtime.lock import Locked, give_back_lock, hold_lock
from exporter.runtime.redact import redact
from exporter.runtime.stop import Stopped, stoppable
from ingest.text.numbers import count


@click.command("rotate")
@root_option
@click.option(
    "--wait", "wait_s", type=click.FloatRange(0), default=0, metavar="S",
    help="Seconds to wait for another run to end. Default 0.",
)  # fmt: skip
@dry_run_option
@json_option
def rotate_command(
    root: str | None, wait_s: float, dry_run: bool, as_json: bool
) -> None:
    """Move dated reports older than 24 hours into g/reports/archive.

    Only what is landed is moved, and each original goes only after its bundle
    was read back and found equal. Logs, and reports that are overwritten, stay.
    """
    from exporter.agents.successes import record_success
    from exporter.jobs.rotate import rotate

    where = root_with_reports(root, False, silent=as_json)
    screen = Screen(json=as_json)
    error, code = "", FAILURE
    with stoppable(None):
        try:
            if not dry_run:
                hold_lock(where, "ops-atomic rotate", wait_s)
            done = rotate(where, dry_run=dry_run)
            if not dry_run:
                record_success(where, "rotate")
        except Locked as locked:
            error, code = str(locked), LOCKED
        except Stopped as stopped:
            error, code = f"{stopped.reason}; nothing is lost", stopped.code
        except OSError as failure:
            error = describe(failure)
        finally:
            give_back_lock(where)
    if error and as_json:
        print_json({"status": "failed", "errors": [redact(error)]})
    if error:
        if not as_json:
            screen.fail(redact(error))
        sys.exit(code)
    if as_json:
        bundles = [{"path": path, "reports": number} for path, number in done.bundles]
        print_json(
            {"status": "ok", "dry_run": dry_run, "bundles": bundles,
             "moved": done.moved, "would_move": done.would_move,
             "not_landed": done.not_landed, "changed": done.changed, "errors": []}
        )  # fmt: skip
        return
    for path, number in done.bundles:
        screen.note(f"Moved {count(number, 'report')} into {path}", "✓", "green")
    if done.not_landed:
        old = count(done.not_landed, "old report stays", "old reports stay")
        screen.note(f"{old}: not landed yet")
    if dry_run:
        screen.note(f"Would move {count(done.would_move, 'report')}", "→")
        screen.note("DRY RUN - no files written")
    elif not done.bundles:
        screen.note("Nothing to rotate", "⊘")
