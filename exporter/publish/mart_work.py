"""The marts of one run: what is stale of them before it, and at their turn in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from exporter.contracts.datasets import Dataset, Table
from exporter.contracts.marts import Mart
from exporter.contracts.settings import Row, settings_rows
from exporter.publish.existing import ExistingMart, published_on
from exporter.publish.ledger import Ledger, PublishedFile
from exporter.publish.mart_plan import Day, Files, MartFile, Read, World, plan_mart
from exporter.publish.plan import Due, Plan, Selection
from exporter.publish.stale_days import take_along
from exporter.runtime.machine import machine_name
from exporter.runtime.present import Present
from ingest.root import Root


@dataclass
class MartWork:
    """The marts that a run brings up to date, and all that they are made from.

    `known` are all marts, `chosen` those that were asked for.
    `files` are those of marts and their inputs, by table and day, kept up with what
    the run publishes; None for one that is damaged. Until the
    turn of a mart has come, `stale` holds of it what looks so. `weight` is that of
    the largest file that any of them was seen to read.
    """

    known: Mapping[str, Mart]
    chosen: Mapping[str, Mart]
    selection: Selection
    files: dict[str, Files]
    settings: Mapping[str, list[Row]]
    machine: str
    present: Present
    stale: list[Due] = field(default_factory=list)
    current: list[tuple[str, Day, str]] = field(default_factory=list)
    weight: int = 0

    @classmethod
    def none(cls, root: Root, marts: Mapping[str, Mart]) -> MartWork:
        """For who only looks. Raises BadMachine, BadPresent."""
        return cls(marts, {}, Selection(), {}, {}, machine_name(root), Present.now())

    @classmethod
    def begin(
        cls,
        root: Root,
        ledger: Ledger,
        datasets: Mapping[str, Dataset],
        marts: Mapping[str, Mart],
        selection: Selection,
        plan: Plan,
    ) -> MartWork:
        """Plan the marts behind the exports of a plan: what is about to be made
        counts as changed. What is odd goes into the plan.

         Raises BadMachine, BadPresent.
        """
        chosen = {
            name: mart
            for name, mart in marts.items()
            if not selection.datasets or name in selection.datasets
        }
        tables: dict[str, Table] = {**datasets, **marts}
        files: dict[str, Files] = {}
        for name in {*chosen}.union(*(mart.reads for mart in chosen.values())):
            if existing := plan.existing.get(name):
                files[name] = {
                    day: existing.found.get(path)
                    for day, path in existing.paths.items()
                }
            elif name in chosen:
                found = ExistingMart.find(root, ledger, tables[name])
                plan.strange += found.strange
                files[name] = found.files
            else:
                published = published_on(root, ledger, [tables[name]])
                files[name] = {day: file for _, day, _, file in published}
        work = cls(
            marts, chosen, selection, files, settings_rows(root), machine_name(root),
            Present.now(),
        )  # fmt: skip
        work._plan(plan)
        if work.stale and not plan.stale:
            take_along(plan, root, selection)
            work.stale, work.current = [], []
            work._plan(plan)
        return work

    def _plan(self, plan: Plan) -> None:
        changed: dict[str, Files] = {}
        for target in plan.stale:
            changed.setdefault(target.dataset, {})[target.day] = None
        for name, mart in self.chosen.items():
            existing, wanted = self.files[name], set()
            world, is_forced = self._world(mart, changed), self.selection.force
            for file, due in plan_mart(mart, world, existing, None, is_forced):
                wanted.add(file.day)
                if not self._covers(file, changed):
                    continue
                if due.reason:
                    self.stale.append(due)
                    changed.setdefault(name, {})[due.day] = None
                    self.weight = max(self.weight, self.weigh(file.reads))
                else:
                    self.current.append((name, due.day, due.path))
            damaged = {
                mart.file(day): None
                for day, made in existing.items()
                if made is None and day not in wanted
            }
            plan.damaged = list(dict.fromkeys(plan.damaged) | damaged)

    @property
    def models(self) -> set[str]:
        """The models that dbt needs for what is stale."""
        return {due.dataset for due in self.stale}

    @property
    def published(self) -> dict[str, PublishedFile]:
        """The files of the marts by path."""
        return {
            mart.file(day): file
            for name, mart in self.chosen.items()
            for day, file in self.files[name].items()
            if file
        }

    def of(self, name: str) -> list[Due]:
        """What is to be published of a mart."""
        return [due for due in self.stale if due.dataset == name]

    def replan(self, name: str) -> dict[Day, Read]:
        """Plan a mart for good, once its inputs are published; returns what each of
        its stale files reads.

        What was stale before and is not then goes from `stale` to `current`.
        """
        planned = {due.day for due in self.of(name)}
        if not planned:
            return {}
        self.stale = [due for due in self.stale if due.dataset != name]
        mart, existing = self.chosen[name], self.files[name]
        world, is_forced = self._world(mart), self.selection.force
        reads = {}
        for file, due in plan_mart(mart, world, existing, planned, is_forced):
            if due.reason:
                self.stale.append(due)
                reads[file.day] = file.reads
            else:
                self.current.append((name, due.day, due.path))
        return reads

    def weigh(self, reads: Read) -> int:
        """Bytes of the largest of the files that are read."""
        read = (self.files[name].get(day) for name in reads for day in reads[name])
        return max((file.bytes for file in read if file), default=0)

    def publish(self, name: str, day: Day, file: PublishedFile) -> None:
        """Take note of a file that now lies in its place."""
        if name in self.files:
            self.files[name][day] = file

    def _world(self, mart: Mart, changed: Mapping[str, Files] | None = None) -> World:
        files: dict[str, Files] = {}
        for name in mart.reads:
            files[name] = {day: f for day, f in self.files[name].items() if f}
            files[name] |= (changed or {}).get(name, {})
        return World(files, self.settings, self.machine, self.present)

    def _covers(self, file: MartFile, changed: Mapping[str, Files]) -> bool:
        """Whether a file is among what was asked for: a mart that is one file
        always is, a day of another with each day that it reads, and with what
        this run makes of it."""
        selection = self.selection
        if file.day is None or not (selection.since or selection.until):
            return True
        read = {(name, day) for name, days in file.reads.items() for day in days}
        days = {day for _, day in read if day} | {file.day}
        return any(map(selection.covers, days)) or any(
            day in changed.get(name, {}) for name, day in read
        )
