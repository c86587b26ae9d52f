"""`ops-atomic validate` checks what is published."""

from __future__ import annotations

import sys
from datetime import date

import click

from exporter.cli.flags import (
    FAILURE,
    Day,
    chosen_root,
    json_option,
    print_json,
    root_option,
)
from exporter.contracts.kept import load_tables
from exporter.reporting.screen import Screen, kilobytes
from exporter.runtime.output import say
from exporter.verify.validate import validate


@click.command("validate")
@root_option
@click.option("--date", "day", type=Day(), help="Only the files of this day.")
@json_option
def validate_command(root: str | None, day: date | None, as_json: bool) -> None:
    """Check every published file against its contract."""
    where = chosen_root(root, silent=as_json)
    screen = Screen(json=as_json)
    with screen.progress("Checking every published file"):
        result = validate(where, *load_tables(), day)
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
