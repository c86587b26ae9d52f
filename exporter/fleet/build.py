"""A build of a fleet's marts: what there is, what is to be made, and from what."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from exporter.contracts.datasets import Dataset, load_datasets
from exporter.contracts.settings import Settings, read_settings
from exporter.fleet.check import CheckedFiles, check_files
from exporter.fleet.memory import Memory
from exporter.fleet.partitions import Made, MartStore, marts_place
from exporter.fleet.plan import Partition, Plan, plan_partitions
from exporter.fleet.recipes import Recipe, load_recipes
from exporter.fleet.storage import VARIABLE, FleetNotFound, folder_named
from exporter.runtime.present import present
from ingest.root import Root

# More than these are told by `ops-atomic fleet check`.
MOST_WARNINGS = 20


class BrokenMart(ValueError):
    """What was made of a mart breaks its contract."""


@dataclass(slots=True)
class Build:
    """All that a build goes by. `made` are the partitions that exist by mart."""

    storage: Path
    marts: MartStore
    datasets: Mapping[str, Dataset]
    recipes: Mapping[str, Recipe]
    settings: Settings
    checked: CheckedFiles
    plan: Plan
    made: dict[str, dict[date, Made]]
    now: datetime

    def stale(self, mart: str) -> dict[date, Partition]:
        """The days of a daily mart that are to be made."""
        made = self.made[mart]
        return {
            day: partition
            for day, partition in self.plan[mart].items()
            if day not in made or made[day].fingerprint != partition.fingerprint
        }

    def reads(self, mart: str, days: Iterable[date]) -> dict[str, set[date]]:
        """The days of each input that some days of a daily mart are made from."""
        parts = [self.plan[mart][day] for day in days]
        return {
            name: set().union(*(part.reads[name] for part in parts))
            for name in self.recipes[mart].reads
        }

    def remove_left_over(self, mart: str) -> None:
        """Remove partitions of days that are to have none."""
        days = self.marts.days(mart) | self.made[mart].keys()
        for day in days - self.plan[mart].keys():
            self.marts.remove(mart, day)
            self.made[mart].pop(day, None)

    def put(self, mart: str, day: date | None, staged: Path, rows: int) -> None:
        """Move a finished file into its place. A day without rows has none."""
        size = staged.stat().st_size if rows else 0
        if day is None or rows:
            self.marts.move(staged, mart, day)
        else:
            self.marts.remove(mart, day)
        if day is not None:
            self.made[mart][day] = Made(self.plan[mart][day].fingerprint, rows, size)

    def warnings(self) -> Iterator[str]:
        """What is kept out, and what is wrong with settings."""
        kept_out = self.checked.kept_out
        for out in kept_out[:MOST_WARNINGS]:
            yield f"kept out: {out.path}: {out.reason}; {out.remedy}"
        if len(kept_out) > MOST_WARNINGS:
            more = f"{len(kept_out) - MOST_WARNINGS:,} more are kept out"
            yield f"{more}: see `ops-atomic fleet check`"
        yield from map(str, self.settings.problems)


def start_build(environ: Mapping[str, str] = os.environ) -> Build:
    """Look at the storage that OPS_ATOMIC_FLEET names, and plan.

    Raises FleetNotFound, BadPresent, BrokenContract, OSError.
    """
    storage = _storage(environ)
    now = present()
    datasets, recipes = load_datasets(), load_recipes()
    settings = read_settings(Root(storage))
    marts = MartStore(marts_place(storage, environ))
    checked = check_files(Memory(storage, marts.path), datasets, now.date())
    if not checked.machines:
        raise FleetNotFound(
            f"{storage} ({VARIABLE}) holds no folder machine=<name>: sync each "
            "machine's root into one (docs/fleet.md)"
        )
    return Build(
        storage, marts, datasets, recipes, settings, checked,
        plan_partitions(checked.good, recipes, settings.rows, now),
        {name: marts.made(name) for name, r in recipes.items() if r.is_daily}, now,
    )  # fmt: skip


def _storage(environ: Mapping[str, str]) -> Path:
    named = environ.get(VARIABLE, "").strip()
    if not named:
        raise FleetNotFound(f"{VARIABLE} names no storage: set it (docs/fleet.md)")
    path = folder_named(named, VARIABLE)
    if not path.is_dir():
        raise FleetNotFound(
            f"{named} ({VARIABLE}) is not a folder: name the one that holds a folder "
            "machine=<name> for each machine (docs/fleet.md)"
        )
    return path
