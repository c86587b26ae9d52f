"""What commands share: their flags, the root they work on, JSON on stdout."""

from __future__ import annotations

import difflib
import json
import sys
from datetime import date, datetime
from typing import Any

import click

from exporter.runtime.machine import BadMachine, machine_name
from exporter.runtime.output import say
from exporter.runtime.present import BadPresent, present
from ingest import advice
from ingest.root import Root, RootNotFound, find_root

LOCKED = 75
FAILURE = 1


class Day(click.ParamType[date]):
    """A UTC day, written YYYY-MM-DD."""

    name = "YYYY-MM-DD"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> date:
        if isinstance(value, date):
            return value
        try:
            return datetime.strptime(value, "%Y-%m-%d").date()
        except ValueError:
            self.fail(f"{value!r} is not a day; write it as 2025-10-28", param, ctx)


class Dataset(click.ParamType[str]):
    """The name of a published dataset or mart."""

    name = "NAME"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> str:
        from exporter.contracts.datasets import dataset_names
        from exporter.contracts.marts import mart_names

        names = [*dataset_names(), *mart_names()]
        if value not in names:
            close = difflib.get_close_matches(value, names, 1)
            hint = f" Did you mean {close[0]!r}?" if close else ""
            self.fail(
                f"{value!r} is no dataset or mart.{hint} There are {', '.join(names)}.",
                param,
                ctx,
            )
        return str(value)


root_option = click.option(
    "--root",
    metavar="P",
    help="The folder that holds the reports. Default: OPS_ATOMIC_ROOT, else "
    "~/02luka, else the bundled example.",
)
dry_run_option = click.option(
    "--dry-run", "--dry", is_flag=True, help="Say what would happen, write nothing."
)
allow_empty_option = click.option(
    "--allow-empty",
    is_flag=True,
    help="Go on where the root has neither g nor knowledge/optimize.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="One JSON object.")


def chosen_root(named: str | None, silent: bool = False) -> Root:
    """The root to work on; says so when it is only the example."""
    try:
        root = find_root(named)
    except RootNotFound as error:
        raise click.UsageError(str(error)) from error
    if root.is_example and not silent:
        say(
            "No root is configured: using the bundled example, examples/02luka "
            "(name yours with --root or OPS_ATOMIC_ROOT)"
        )
    return root


def chosen_present() -> datetime:
    """The present moment; one that is set to no time is wrong usage."""
    try:
        return present()
    except BadPresent as error:
        raise click.UsageError(str(error)) from error


def chosen_machine(root: Root) -> str:
    """The machine's name; one that is set to no name is wrong usage."""
    try:
        return machine_name(root)
    except BadMachine as error:
        raise click.UsageError(str(error)) from error


def root_with_reports(
    named: str | None, allow_empty: bool, silent: bool = False
) -> Root:
    """The root to read inputs from; one that is none is wrong usage."""
    root = chosen_root(named, silent)
    if root.looks_wrong and not allow_empty:
        raise click.UsageError(
            f"{advice.wrong_root(root)}, or go on with --allow-empty"
        )
    return root


def print_json(value: dict[str, Any]) -> None:
    """Print the one object that was asked for; ends with an error if it cannot."""
    if reason := say(json.dumps(value, ensure_ascii=False, indent=2)):
        said = f"standard output takes nothing ({reason}): the result is not printed"
        say(f"✗ {said}", to_stderr=True)
        sys.exit(FAILURE)
