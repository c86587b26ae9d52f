"""`ops-atomic fleet`: the storage in which many machines' exports are collected."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from datetime import date
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from exporter.cli.flags import FAILURE, chosen_present, json_option, print_json
from exporter.reporting.screen import Screen
from exporter.runtime.output import say

if TYPE_CHECKING:
    from exporter.fleet.check import CheckedFiles, Machine
    from exporter.fleet.kept_out import KeptOut

# More files of a machine and reason are told in one line.
MOST_LINES = 3


class Storage(click.Path):
    """A folder that is there."""

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        from exporter.fleet.storage import FleetNotFound, folder_named

        try:
            folder = folder_named(str(value))
        except FleetNotFound as error:
            self.fail(str(error), param, ctx)
        return super().convert(folder, param, ctx)


@click.group("fleet")
def fleet() -> None:
    """Many machines, whose exports lie in one storage."""


@fleet.command("check")
@click.argument(
    "directory", metavar="DIR",
    type=Storage(exists=True, file_okay=False, path_type=Path),
)  # fmt: skip
@click.option(
    "--full", is_flag=True, help="Read every file again, unchanged ones as well."
)
@json_option
def check_command(directory: Path, full: bool, as_json: bool) -> None:
    """Look at every file of every machine, and say which are kept out.

    DIR holds a folder machine=<name> for each machine. Exit code 1 when a file is
    wrong. A silent machine and a missing day are shown, and are nothing wrong.
    """
    from exporter.contracts.kept import load_tables
    from exporter.fleet.check import check_files
    from exporter.fleet.memory import Memory
    from exporter.fleet.partitions import marts_place
    from exporter.fleet.storage import PREFIX, FleetNotFound

    screen = Screen(json=as_json)
    today = chosen_present().date()
    storage = directory.resolve()
    try:
        memory = Memory(storage, marts_place(storage))
    except FleetNotFound as error:
        raise click.UsageError(str(error)) from error
    if full:
        memory.forget()
    datasets, _ = load_tables()
    with screen.progress("Looking at every file"):
        found = check_files(memory, datasets, today)
    if not found.machines and storage.name.startswith(PREFIX):
        raise click.UsageError(
            f"{directory} is one machine's folder: name the one above it"
        )
    if not found.machines:
        raise click.UsageError(
            f"{directory} holds no folder machine=<name>: sync each machine's root "
            "into one (docs/fleet.md)"
        )
    if as_json:
        print_json(found.as_json(today))
    else:
        _show(found, today, screen)
    sys.exit(FAILURE if found.kept_out else 0)


def _show(found: CheckedFiles, today: date, screen: Screen) -> None:
    names = [*found.machines, "machine"]
    width = min(max(map(len, names)), 24)
    say(
        f"{'machine':{width}}  {'newest day':10}  {'age':>6}  {'days':>5}  "
        f"{'missing':>7}  {'schema':>7}  {'kept out':>8}"
    )
    for machine in found.machines.values():
        newest = str(machine.newest or "none")
        age = machine.age_days(today)
        shown = "" if age is None else "today" if not age else f"{age:,} d"
        say(
            f"{_cut(machine.name, width):{width}}  {newest:10}  {shown:>6}  "
            f"{len(machine.days):>5,}  {len(machine.missing):>7,}  "
            f"{_schema(machine):>7}  {machine.kept_out:>8,}"
        )
    for machine in found.machines.values():
        if machine.missing:
            screen.note(
                f"{machine.name} misses {_days(machine.missing)}", "⚠", "yellow"
            )
    for _, group in groupby(found.kept_out, lambda out: (out.machine, out.kind)):
        _tell([*group], screen)
    say(
        f"Machines: {len(found.machines):,}, files: {len(found.good):,}, kept out: "
        f"{sum(machine.kept_out for machine in found.machines.values()):,}"
    )


def _tell(same: list[KeptOut], screen: Screen) -> None:
    if len(same) <= MOST_LINES:
        for out in same:
            screen.fail(f"{out.path}: {out.reason}; {out.remedy}")
        return
    first, last = same[0], same[-1]
    screen.fail(
        f"{len(same):,} files of {first.machine}, from {first.path} to {last.path}: "
        f"{first.reason}; {first.remedy.replace('it again', 'them again')}"
    )


def _cut(name: str, width: int) -> str:
    return name if len(name) <= width else f"{name[: width - 1]}…"


def _schema(machine: Machine) -> str:
    return " ".join(machine.schemas) if len(machine.schemas) < 2 else "mixed"


def _days(days: Iterable[date]) -> str:
    """Days as spans: `2025-01-03, 2025-01-05 to 2025-01-08`, at most three."""
    spans: list[list[date]] = []
    for day in sorted(days):
        if spans and (day - spans[-1][-1]).days == 1:
            spans[-1].append(day)
        else:
            spans.append([day])
    said = [
        str(span[0]) if len(span) == 1 else f"{span[0]} to {span[-1]}"
        for span in spans[:3]
    ]
    more = sum(map(len, spans[3:]))
    return ", ".join(said) + (f" and {more:,} more" if more else "")
