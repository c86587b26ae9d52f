"""The ops-atomic command line: flags in, exit codes out.

Exit codes: 0 done, 1 something failed, 2 wrong usage, 75 another run holds
the lock, 130 and 143 interrupted.
"""

from __future__ import annotations

import gc
import importlib
import sys
from typing import Any

import click

from exporter import __version__
from exporter.runtime.errors import describe
from exporter.runtime.output import hold_streams_open
from exporter.runtime.stop import INTERRUPTED

OBJECTS_BETWEEN_LOOKS = 20_000

# Each command with the module that holds it, and its name there. A module is
# imported when its command is asked for: what one needs, no other waits for.
COMMANDS = {
    "agents": ("agents", "agents"),
    "daily": ("nightly", "daily_command"),
    "dashboard": ("dashboard", "dashboard_command"),
    "digest": ("nightly", "digest_command"),
    "doctor": ("verify", "doctor_command"),
    "export": ("export", "export_command"),
    "fleet": ("fleet", "fleet"),
    "ingest": ("export", "ingest_command"),
    "monitor": ("monitor", "monitor_command"),
    "notify": ("notify", "notify_command"),
    "optimize": ("nightly", "optimize_command"),
    "rejects": ("rejects", "rejects_command"),
    "rotate": ("rotate", "rotate_command"),
    "sample": ("sample", "sample_command"),
    "status": ("status", "status_command"),
    "validate": ("validate", "validate_command"),
    "verify": ("verify", "verify_command"),
}


class _Commands(click.Group):
    """Tells in a line, whatever was asked for, of a broken contract and of what
    the operating system refuses, such as the state of another user."""

    def main(self, *args: Any, **kwargs: Any) -> Any:
        # A run, and dbt in it, makes objects by the hundred thousand, and nearly all
        # stay: Python would look for garbage among them again and again.
        gc.set_threshold(OBJECTS_BETWEEN_LOOKS)
        try:
            return super().main(*args, **kwargs)
        except SystemExit as ended:
            # Ctrl-C where no command sees to it: click ends that with 1.
            if isinstance(ended.__context__, click.Abort):
                sys.exit(INTERRUPTED)
            raise

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return sorted(COMMANDS)

    def get_command(
        self,
        ctx: click.Context,  # noqa: ARG002
        cmd_name: str,
    ) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, name = COMMANDS[cmd_name]
        found = getattr(importlib.import_module(f"exporter.cli.{module}"), name)
        assert isinstance(found, click.Command)
        return found

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.NoSuchCommand as error:
            # click compares with commands that are imported already: none.
            raise click.NoSuchCommand(
                error.command_name, possibilities=COMMANDS, ctx=ctx
            ) from None

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except OSError as error:
            said = describe(error)
        except ValueError as error:
            from exporter.contracts.datasets import BrokenContract

            if not isinstance(error, BrokenContract):
                raise
            said = str(error)
        from exporter.runtime.redact import redact

        raise click.ClickException(redact(said))


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="ops-atomic")
def main() -> None:
    """Ops reports of one machine as typed, tested, documented daily Parquet."""
    hold_streams_open()
