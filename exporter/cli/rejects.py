"""`ops-atomic rejects`: which records could not be typed, and why."""

from __future__ import annotations

import sys
from dataclasses import asdict
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
from exporter.reporting.screen import Screen
from exporter.runtime.errors import first_line


@click.command("rejects")
@root_option
@click.option("--date", "day", type=Day(), help="Only those of this day.")
@json_option
def rejects_command(root: str | None, day: date | None, as_json: bool) -> None:
    """Say what was rejected and why, with one record of each as an example.

    All of them stand with their text in the dataset rejected_records.
    """
    import duckdb

    from exporter.contracts.kept import load_tables
    from exporter.reporting.rejects import find_rejects

    where = chosen_root(root, silent=as_json)
    screen = Screen(json=as_json)
    try:
        datasets, _ = load_tables()
        found = find_rejects(where, datasets["rejected_records"], day)
    except duckdb.Error as error:
        screen.fail(first_line(error))
        sys.exit(FAILURE)
    if as_json:
        print_json({"rejects": [asdict(one) for one in found]})
        return
    for one in found:
        line = "" if one.line_number is None else f", line {one.line_number:,}"
        screen.note(
            f"{one.dataset}: {one.records:,} × {one.reason}, such as "
            f"{one.source_file}{line}",
            "⊘", "cyan",
        )  # fmt: skip
    screen.note(f"Rejected records: {sum(one.records for one in found):,}")
