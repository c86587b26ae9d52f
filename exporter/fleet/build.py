"""A build of a fleet's marts: what there is, what is to be made, and from what."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from exporter.contracts.datasets import Dataset, load_datasets
from exporter.contracts.settings import Settings, read_settings
from exporter.fleet.check import Judgement, judge
from exporter.fleet.partitions import VARIABLE as MARTS_VARIABLE
from exporter.fleet.partitions import Made, MartStore
from exporter.fleet.plan import Partition, Plan, plan_partitions
from exporter.fleet.recipes import Recipe, load_recipes
from exporter.fleet.storage import VARIABLE
from exporter.runtime.present import present
from ingest.root import Root


class FleetNotFound(ValueError):
    """OPS_ATOMIC_FLEET names no storage."""


@dataclass(slots=True)
class Build:
    """All that a build goes by. `made` are the partitions that exist by mart."""

    storage: Path
    marts: MartStore
    datasets: Mapping[str, Dataset]
    recipes: Mapping[str, Recipe]
    settings: Settings
    judgement: Judgement
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

    def left_over(self, mart: str) -> set[date]:
        """Days that have a partition and are to have none."""
        days = self.marts.days(mart) | self.made[mart].keys()
        return days - self.plan[mart].keys()


def start_build(environ: Mapping[str, str] = os.environ) -> Build:
    """Look at the storage that OPS_ATOMIC_FLEET names, and plan.

    Raises FleetNotFound, BadPresent, BrokenContract, OSError.
    """
    storage = _storage(environ)
    now = present()
    datasets, recipes = load_datasets(), load_recipes()
    settings = read_settings(Root(storage))
    judgement = judge(storage, datasets, now.date())
    if not judgement.machines:
        raise FleetNotFound(
            f"{storage} ({VARIABLE}) holds no folder machine=<name>: sync each "
            "machine's root into one (docs/fleet.md)"
        )
    marts = MartStore(Path(environ.get(MARTS_VARIABLE) or storage / "marts"))
    return Build(
        storage, marts, datasets, recipes, settings, judgement,
        plan_partitions(judgement.good, recipes, settings.rows, now),
        {name: marts.made(name) for name, r in recipes.items() if r.is_daily}, now,
    )  # fmt: skip


def _storage(environ: Mapping[str, str]) -> Path:
    named = environ.get(VARIABLE, "").strip()
    if not named:
        raise FleetNotFound(f"{VARIABLE} names no storage: set it (docs/fleet.md)")
    path = Path(named).expanduser()
    if not path.is_dir():
        raise FleetNotFound(f"{named} ({VARIABLE}) is not a folder: create it")
    return path.resolve()
