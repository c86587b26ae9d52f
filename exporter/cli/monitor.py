"""`ops-atomic monitor`: hands over to the monitor, which knows nothing of us."""

from __future__ import annotations

import sys
from functools import partial
from typing import TYPE_CHECKING

import click

from exporter.cli.flags import FAILURE, LOCKED, chosen_root, root_option
from exporter.runtime.errors import describe
from exporter.runtime.output import say
from exporter.runtime.redact import redact
from exporter.runtime.stop import Stopped, stoppable
from ingest import advice
from ingest.root import Root

if TYPE_CHECKING:
    from monitor.settings import Settings


@click.command("monitor")
@root_option
@click.option("--once", is_flag=True, help="Write one heartbeat and end.")
@click.option("--init", "is_init", is_flag=True, help="Write commented settings.")
def monitor_command(root: str | None, once: bool, is_init: bool) -> None:
    """Look at this machine every five minutes and write a heartbeat.

    What is looked at stands in g/analytics/settings/monitor.toml, which --init
    writes, never over an existing one. It is read anew when it changes.
    """
    # Here, because no other command has a use for it.
    from monitor.section import BadSetting
    from monitor.settings import (
        NoSettings,
        read_settings,
        settings_path,
        write_template,
    )

    where = chosen_root(root)
    if is_init:
        try:
            say(f"✓ Wrote {write_template(where.path)}")
        except FileExistsError:
            raise click.UsageError(
                f"{settings_path(where.path)} is there already: edit it, or move it "
                "away first"
            ) from None
        return
    try:
        settings = read_settings(where.path)
    except BadSetting as wrong:
        said = str(wrong)
        if isinstance(wrong, NoSettings):
            said = advice.run(f"{said}; to write one", where, "monitor", "--init")
        # One line, for a log: no usage above it.
        say(f"✗ {said}", to_stderr=True)
        sys.exit(2)
    try:
        with stoppable(None):
            if once:
                _write_once(where, settings)
            else:
                _watch(where, settings)
    except Stopped as stopped:
        sys.exit(stopped.code)


def _write_once(root: Root, settings: Settings) -> None:
    from monitor.once import write_once

    try:
        for line in write_once(root.path, settings):
            say(line)
    except OSError as error:
        say(f"✗ no heartbeat was written: {redact(describe(error))}", to_stderr=True)
        sys.exit(FAILURE)


def _watch(root: Root, settings: Settings) -> None:
    from exporter.notify.at_once import tell_at_once
    from monitor.loop import Loop
    from monitor.state import AlreadyRuns

    try:
        Loop(root.path, settings, partial(tell_at_once, root)).run()
    except AlreadyRuns as other:
        say(f"✗ {other}", to_stderr=True)
        sys.exit(LOCKED)
