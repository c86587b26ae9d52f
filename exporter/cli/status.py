"""`ops-atomic status`: how the machine is right now."""

from __future__ import annotations

import sys

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
from exporter.runtime.output import say


@click.command("status")
@root_option
@json_option
def status_command(root: str | None, as_json: bool) -> None:
    """Say what is down now, since when, and how it has been.

    From what is published and the heartbeats since; nothing is written, and no
    run is waited for. Exit code 1 when something is down or too old, else 0.
    """
    # Here, because the other commands need none of it.
    from exporter.status.report import is_well, report
    from exporter.status.screen import lines

    where = chosen_root(root, silent=as_json)
    said = report(where, chosen_machine(where), chosen_present())
    if as_json:
        print_json(said)
    else:
        say("\n".join(lines(said)))
    sys.exit(0 if is_well(said) else FAILURE)
