"""One pass over all inputs: live files first, then bundles not seen before."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import timedelta
from itertools import repeat
from typing import Any

from ingest import files
from ingest.bundles import BundleProblem, read_bundle, why_unproven
from ingest.inputs import (
    InputFile,
    InputPath,
    input_path,
)
from ingest.listing import NOTHING_KNOWN, Inventory, Known, list_inputs
from ingest.loaders.context import Context, Loader, ReadInput
from ingest.loaders.dated import DatedLoader
from ingest.loaders.heartbeats import HeartbeatLoader
from ingest.loaders.lines import LineLoader
from ingest.loaders.named_reports import NamedReportLoader
from ingest.loaders.passed_over import PassedOver
from ingest.loaders.recheck_dates import recheck_dates
from ingest.loaders.reports import ReportLoader
from ingest.loaders.summaries import SummaryLoader
from ingest.loaders.unproven import PROBLEM, Unproven
from ingest.reading import InputReader
from ingest.registry import Identity, identity_of, is_told_by_name
from ingest.root import Root
from ingest.store.ledger import SeenInput
from ingest.store.reconcile import BUNDLES
from ingest.text.clean import clean

# A heartbeat is written once; a name so old is not looked at again.
YOUNG = timedelta(hours=48)

# Other files that are read before what they say is written.
FILES_AT_ONCE = 500

# What became of a bundle that is damaged, and of one that breaks off.
_AGAIN = "it is read again once it has changed"
_HALF = (
    "what could be read counts only where nothing else is landed under its name, "
    f"and {_AGAIN}"
)
_BEFORE = f"what could be read before that was, and {_AGAIN}"
_NOTHING = (
    "nothing could be read from it: put a whole copy in its place, or move it away; "
    f"{_AGAIN}"
)


Progress = Callable[[str, int], AbstractContextManager[Callable[[int], None]]]


class OnePass:
    """One pass over all inputs."""

    def __init__(
        self, root: Root, context: Context, historical: bool, progress: Progress
    ) -> None:
        self.root = root
        self.context = context
        self.report = context.report
        self.landing = context.landing
        self.ledger = context.ledger
        self.historical = historical
        self.progress = progress
        self.inputs = InputReader(root, context)
        self.seen = self.ledger.inputs()
        self.heartbeats = HeartbeatLoader(context)
        self.dated = DatedLoader(context)
        self.lines = LineLoader(context, self.seen, from_start=historical)
        # One per identity that files have; the registry says which is whose.
        self.loaders: dict[Identity, Loader] = {
            Identity.NAME: self.heartbeats,
            Identity.VERSION: self.dated,
            Identity.LINE: self.lines,
            Identity.REPORT: ReportLoader(context),
            Identity.FILE: NamedReportLoader(context),
            Identity.NIGHT: SummaryLoader(context),
        }
        self.unproven = Unproven(context, self.seen)
        self.passed_over = PassedOver(context, self.seen)

    def run(self) -> None:
        horizon = f"heartbeat_{self.context.now - YOUNG:%Y-%m-%d_%H-%M-%S}"
        known = Known(horizon, self._certain_names())
        inventory = list_inputs(self.root, NOTHING_KNOWN if self.historical else known)
        for folder, reason in inventory.unreadable:
            self.report.errors.append(
                f"{folder}: cannot be read ({reason}): give this user the right to it"
            )
        self.report.ignored = inventory.ignored
        recheck_dates(self.context)
        for loader in self.loaders.values():
            loader.read_again()
        self._land_heartbeats(inventory, known)
        self._land_others(inventory)
        self._land_bundles(inventory)

    # Heartbeats: many, so what is old and known is told by its name alone

    def _certain_names(self) -> Collection[str]:
        """Names of heartbeats that were read and landed."""
        names = self.heartbeats.landed.known
        if days := set(self.ledger.doubted()):
            landed = self.ledger.keys("heartbeats")
            names = names.difference(*(keys for day, keys in landed if day in days))
        return names

    def _land_heartbeats(self, inventory: Inventory, known: Known) -> None:
        horizon = known.young
        errors = len(self.report.errors)
        young: list[tuple[str, SeenInput]] = []
        total = sum(len(names) for _, names in inventory.heartbeats)
        with self.progress("Reading heartbeats", total) as step:
            for name, folder in self._by_name(inventory):
                step(1)
                # Of a name that matches a heartbeat's, nothing can be a secret.
                place = folder.below(name)
                seen = self.seen.get(place.key)
                input_file = self.inputs.heartbeat(place, is_seen=seen is not None)
                if input_file is None:
                    continue
                now_seen = SeenInput("heartbeats", input_file.size, input_file.mtime_ns)
                if seen == now_seen and name in known.names and not self.historical:
                    continue
                if (
                    self.inputs.read(input_file, self.heartbeats.add)
                    and name >= horizon
                ):
                    young.append((place.key, now_seen))
                if self.heartbeats.is_full:
                    self.heartbeats.flush()
        self.heartbeats.flush()
        self.heartbeats.say()
        for path, now_seen in young:
            if path not in self.heartbeats.cut_short:
                self.ledger.put_input(path, now_seen)
        self.ledger.forget_inputs(
            path
            for path, seen in self.seen.items()
            if seen.source == "heartbeats" and path.rpartition("/")[2] < horizon
        )
        if len(self.report.errors) == errors:
            self.ledger.forget_doubts()
        self.landing.commit()

    def _by_name(self, inventory: Inventory) -> Iterator[tuple[str, InputPath]]:
        """Heartbeats in the order of their names, which is that of their days."""
        for _, names in inventory.heartbeats:
            names.sort()
        return heapq.merge(
            *(
                zip(names, repeat(input_path(path, self.context.masks)))
                for path, names in inventory.heartbeats
            )
        )

    # All other live files: few, each told by size and modification time

    def _land_others(self, inventory: Inventory) -> None:
        for number, (path, kind) in enumerate(inventory.others):
            if number % FILES_AT_ONCE == 0:
                self._flush()
            input_file = self.inputs.input_file(
                input_path(path, self.context.masks), kind
            )
            if input_file is None:
                continue
            seen = self.seen.get(input_file.key or "")
            size_and_time = (input_file.size, input_file.mtime_ns)
            if (
                seen
                and size_and_time == (seen.bytes, seen.mtime_ns)
                and not self.historical
            ):
                continue
            self._land(input_file)
        self._flush_all()

    def _land(self, input_file: InputFile) -> None:
        """Read one document of any kind and remember how it looked."""
        loader = self.loaders[identity_of(input_file.kind)]
        if input_file.key is not None:
            self.context.fed.clear()
        if input_file.is_proven:
            self.unproven.make_way(input_file)
        if not self.inputs.read(input_file, loader.add) or input_file.key is None:
            return
        position = self.lines.positions.get(input_file.key)
        size_and_time = (input_file.size, input_file.mtime_ns)
        if self.inputs.has_changed(input_file):
            # What was read stands, but it is not what lies there now.
            size_and_time = (-1, 0)
            if position is None:  # a log simply grows
                self.inputs.is_being_written(input_file)
        elif input_file.key in self.dated.kept_out:
            size_and_time = (-1, 0)  # to be said again, as long as it lies there
        if position and (seen := self.seen.get(input_file.key)):
            for source, days in seen.feeds.items():
                self.context.feeds(source, days)
        feeds = self._take_feeds()
        self.ledger.put_input(
            input_file.key, SeenInput(input_file.kind, *size_and_time, position, feeds)
        )

    def _take_feeds(self) -> dict[str, list[str]]:
        """Which days the inputs read since the last time have fed."""
        feeds = {source: sorted(days) for source, days in self.context.fed.items()}
        self.context.fed.clear()
        return feeds

    def _flush(self) -> None:
        for loader in self.loaders.values():
            loader.flush()
        self.context.flush_columns()

    def _flush_all(self) -> None:
        self._flush()
        self.landing.commit()

    # Bundles: each read once, from its start, while it looks the same

    def _land_bundles(self, inventory: Inventory) -> None:
        horizon = f"reports_{self.context.now - YOUNG:%Y%m%d_%H%M%S}.tar.gz"
        wanted = []
        for path in inventory.bundles:
            known = self.seen.get(path)
            is_done = known is not None and PROBLEM not in (known.position or {})
            if self.historical or not is_done or path.rpartition("/")[2] > horizon:
                wanted.append((path, known))
        done: list[tuple[str, SeenInput]] = []
        damaged: list[tuple[str, SeenInput, str]] = []
        with self.progress("Reading bundles", len(wanted)) as step:
            for path, known in wanted:
                step(1)
                seen = self._seen_bundle(path)
                if seen is None:
                    continue
                if (
                    known is not None
                    and not self.historical
                    and (known.bytes, known.mtime_ns) == (seen.bytes, seen.mtime_ns)
                ):
                    if problem := self.unproven.problems.get(path):
                        self.report.warnings.append(problem)  # as long as it lies there
                    continue
                problem = self._why_unproven(path)
                if problem is None:
                    self._land_bundle(path, seen, done)
                elif problem:
                    damaged.append((path, seen, problem))
        self._flush_bundles(done)
        # Last, for they count only where nothing else does.
        for path, seen, problem in damaged:
            self._land_bundle(path, seen, done, problem)
            self._flush_bundles(done)
        self.passed_over.tell(inventory.bundles)

    def _seen_bundle(self, path: str) -> SeenInput | None:
        try:
            file_stat = (self.root.path / path).stat()
        except FileNotFoundError:
            return None
        except OSError as error:
            self.inputs.unreadable(path, error)
            return None
        return SeenInput(BUNDLES, file_stat.st_size, file_stat.st_mtime_ns)

    def _why_unproven(self, path: str) -> str | None:
        """What is wrong with a bundle; nothing, told by "", if it is unreadable."""
        try:
            return why_unproven(self.root.path / path)
        except OSError as error:
            self.inputs.unreadable(path, error)
            return ""

    def _land_bundle(
        self,
        path: str,
        seen: SeenInput,
        done: list[tuple[str, SeenInput]],
        damage: str = "",
    ) -> None:
        """Read a bundle and note how it looked; `damage` says why it is unproven."""
        members = 0
        others: dict[str, list[str]] = {}
        position: dict[str, Any] | None = None
        self.context.fed.clear()
        try:
            for input_file in read_bundle(
                self.root.path / path, path, self.context.clock, not damage, others
            ):
                members += 1
                if input_file.is_proven or self.unproven.may_land(input_file, path):
                    self._land(input_file)
                if not input_file.is_proven and not is_told_by_name(input_file.kind):
                    self._flush()
                if self.heartbeats.is_full:
                    self.heartbeats.flush()
        except BundleProblem as problem:
            # One that is broken may have been in the making.
            if not damage:
                said = _BEFORE if members else _NOTHING
                position = self._broken(path, f"{problem}; {said}")
        except OSError as error:
            if error.filename is not None and error.errno in files.WRITE_ERRORS:
                raise
            self.inputs.unreadable(path, error)
            return
        if damage:
            position = self._broken(path, f"{damage}; {_HALF if members else _NOTHING}")
        is_broken = position is not None
        self.passed_over.note(path, others)
        position = self.passed_over.position(path, position)
        feeds = self._take_feeds()
        done.append((path, replace(seen, position=position, feeds=feeds)))
        name = path.rpartition("/")[2]
        if members or not is_broken:
            self.context.say(ReadInput(BUNDLES, members, "input", name, seen.bytes))
        if self.heartbeats.is_full:
            self._flush_bundles(done)

    def _broken(self, path: str, what: str) -> dict[str, Any]:
        """Say what is wrong with a bundle; what the ledger is to remember of it."""
        said = self.context.masks.text(clean(f"{path}: {what}"))
        self.report.warnings.append(said)
        self.unproven.problems[path] = said
        return self.unproven.position(path)

    def _flush_bundles(self, done: list[tuple[str, SeenInput]]) -> None:
        self._flush_all()
        for path, seen in done:
            self.ledger.put_input(path, seen)
        done.clear()
        self.landing.commit()
