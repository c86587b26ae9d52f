"""Landing heartbeats: a year holds 105,120, a day's part holds 288."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import groupby

from ingest.inputs import InputFile
from ingest.loaders.context import Context, Loader, ReadInput
from ingest.names import name_date
from ingest.parsers import parser_fingerprints
from ingest.sources.heartbeats import (
    TOO_LONG,
    day_of,
    masked,
    parse_heartbeat,
    read_heartbeat,
)
from ingest.store.contents import heartbeats_content
from ingest.store.digests import digest
from ingest.store.growing import share_out
from ingest.store.merge import (
    UNPROVEN,
    YIELDING,
    heartbeat_order,
    merge_heartbeats,
    text_of,
    twin_of,
)
from ingest.store.part_files import Json
from ingest.text.clean import MAX_HEARTBEAT_BYTES
from ingest.text.times import TOO_FAR_AHEAD

SOURCE = "heartbeats"
# Read so much before it is written: few rewrites of a day, bounded memory.
MOST_PENDING = 10_000
MOST_PENDING_BYTES = 32 << 20
# What a check takes in memory besides its text.
PER_CHECK = 400
# Landed parts that are merged at once with what was read.
PARTS_AT_ONCE = 4


# A part by day and name, and the records in such parts.
PartKey = tuple[str, str]
Parts = dict[PartKey, list[Json]]


class LandedNames:
    """The names of all landed heartbeats, and the days they are landed under.

    Nearly always that is the day in the name: only where it is not, the days
    are kept, so that half a million names are little more than a set.
    """

    def __init__(self) -> None:
        self.known: set[str] = set()
        self._days: dict[str, set[str]] = {}

    def add(self, day: str, names: Sequence[str]) -> None:
        """Some names, sorted, are landed under a day.

        One that is unproven is found, but it is not known: it is read again.
        """
        while names and names[-1].startswith(UNPROVEN):
            name, names = names[-1].removeprefix(UNPROVEN), names[:-1]
            self._days.setdefault(name, set(self.days(name))).add(day)
        start = f"heartbeat_{day}_"
        if names and not (names[0].startswith(start) and names[-1].startswith(start)):
            for name in names:
                if not name.startswith(start):
                    self._days.setdefault(name, set(self.days(name))).add(day)
        for name in self._days.keys() & names:
            self._days[name].add(day)
        self.known.update(names)

    def days(self, name: str) -> Iterable[str]:
        """The days under which a name is landed."""
        if name in self._days:
            return self._days[name]
        return (str(name_date(name)),) if name in self.known else ()


class HeartbeatLoader(Loader):
    """Collects heartbeats and merges them into their days."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.pending: list[Json] = []
        # The keys of live files that are landed already, by name and content.
        self.live: dict[tuple[str, str], tuple[str, str]] = {}
        # Of these, those that hold but the beginning of what is landed.
        self.cut_short: set[str] = set()
        self.pending_bytes = 0
        self.read = self.read_bytes = 0
        parser = parser_fingerprints(["heartbeats"])["heartbeats"]
        self.parser = digest([parser, context.masks.own])
        self.landed = LandedNames()
        for day, names in context.ledger.keys("heartbeats"):
            self.landed.add(day, names)

    @property
    def is_full(self) -> bool:
        return (
            len(self.pending) >= MOST_PENDING
            or self.pending_bytes >= MOST_PENDING_BYTES
        )

    def add(self, input_file: InputFile) -> None:
        """Read one heartbeat. Raises OSError."""
        with input_file.open() as stream:
            # A buffer for the longest of all would cost more than the rest.
            data = stream.read(min(input_file.size, MAX_HEARTBEAT_BYTES) + 1)
            if len(data) > input_file.size:  # it has grown since
                data += stream.read(MAX_HEARTBEAT_BYTES + 1 - len(data))
        context = self.context
        record: Json = dict(
            read_heartbeat(input_file.name, data, context.now, context.masks)
        )
        context.know(record, record["raw"])
        record["modified"] = input_file.epoch
        record["day"] = day_of(record, input_file.modified, context.now).isoformat()
        if not input_file.is_proven:
            record["unproven"] = True
        if input_file.key is not None and self.landed.days(input_file.name):
            live = input_file.key, input_file.shown
            self.live[record["filename"], text_of(record)] = live
        context.feeds("heartbeats", [record["day"]])
        self.pending.append(record)
        checks = sum(len(group["checks"]) for group in record["check_groups"])
        self.pending_bytes += 2 * sys.getsizeof(record["raw"]) + checks * PER_CHECK
        self.read += 1
        self.read_bytes += input_file.size

    def flush(self) -> None:
        """Merge what was read into the landing."""
        self._merge_all(self.pending)
        self.pending.clear()
        self.pending_bytes = 0
        self.live.clear()

    def _merge_all(self, fresh: list[Json], beside: PartKey | None = None) -> None:
        """Merge heartbeats with the landed ones of their names, which lie in
        other parts than `beside`."""
        homes = self._homes(_with_twins(record["filename"] for record in fresh))
        some: list[Json] = []
        touched: set[PartKey] = set()
        by_name = sorted(fresh, key=heartbeat_order)
        # One in JSON stands beside its twin in Markdown.
        for stem, same in groupby(
            by_name, key=lambda r: r["filename"].partition(".")[0]
        ):
            home = homes.get(stem, set()) - {beside}
            if some and len(touched | home) > PARTS_AT_ONCE:
                self._merge(some, touched)
                some, touched = [], set()
            some += same
            touched |= home
        if some:
            self._merge(some, touched)

    def _homes(self, names: set[str]) -> dict[str, set[PartKey]]:
        """By name without its end, the parts in which it is landed."""
        homes: dict[str, set[PartKey]] = {}
        for day in {day for name in names for day in self.landed.days(name)}:
            for part in self.context.ledger.parts_of(SOURCE, day):
                keys = (key.removeprefix(UNPROVEN) for key in part.keys)
                for name in names.intersection(keys):
                    stem = name.partition(".")[0]
                    homes.setdefault(stem, set()).add((day, part.part))
        return homes

    def _merge(self, fresh: list[Json], touched: set[PartKey]) -> None:
        """Merge heartbeats with those of their names in some parts. One that is
        landed stays in its part as long as it stays on its day."""
        landing = self.context.landing
        before = {key: landing.records(SOURCE, *key) for key in sorted(touched)}
        names = _with_twins(record["filename"] for record in fresh)
        after: Parts = {}
        homes: dict[tuple[str, str], PartKey] = {}
        same: list[Json] = []
        for (day, part), records in before.items():
            after[day, part] = [r for r in records if r["filename"] not in names]
            landed = [r for r in records if r["filename"] in names]
            homes |= {(day, r["filename"]): (day, part) for r in landed}
            same += landed
        new: dict[str, list[Json]] = {}
        merged = merge_heartbeats([*same, *fresh], self._read_again)
        self._tell_cut(fresh, merged)
        for record in merged:
            if home := homes.get((record["day"], record["filename"])):
                after[home].append(record)
            else:
                new.setdefault(record["day"], []).append(record)
        for day, records in sorted(new.items()):
            for part, more in share_out(landing, SOURCE, day, records).items():
                if (day, part) not in before:
                    before[day, part] = landing.records(SOURCE, day, part)
                    after[day, part] = list(before[day, part])
                after[day, part] += more
        self._write_changed(before, after)

    def _tell_cut(self, fresh: list[Json], merged: list[Json]) -> None:
        """Tell of live files of which more is landed."""
        if self.live:
            said = {(record["filename"], text_of(record)) for record in merged}
            for name in {(r["filename"], text_of(r)) for r in fresh} - said:
                if live := self.live.get(name):
                    self.cut_short.add(live[0])
                    self.context.was_cut_short(*live)

    def _write_changed(self, before: Parts, after: Parts) -> None:
        leaving = []
        for key, records in after.items():
            records.sort(key=heartbeat_order)
            if _names(before[key]) - _names(records):
                leaving.append(key)
            elif records != before[key]:
                self._write(key, records, before[key])
        if leaving:
            # A record that moves is in its new day before it is out of the old one.
            self.context.landing.flush()
        for key in leaving:
            self._write(key, after[key], before[key])

    def _write(
        self, key: PartKey, records: list[Json], before: list[Json], parser: str = ""
    ) -> None:
        context = self.context
        known = context.ledger.part(SOURCE, *key)
        # What was landed by another parser has yet to be read anew.
        parser = parser or (known.parser if known else self.parser)
        content = heartbeats_content(records, parser)
        old = heartbeats_content(before, parser)
        # With a newer heartbeat or a better parser, fewer is no loss.
        fewer = [old.counts[name] - content.counts[name] for name in content.counts]
        gone = max(0, *fewer) + (known.dropped if known else 0)
        context.landing.write_records(
            SOURCE, *key, records, replace(content, dropped=gone)
        )
        day, _ = key
        context.landed(day, max(len(records) - len(before), 0))
        self.landed.add(day, content.keys)

    def read_again(self) -> None:
        """Take landed reports apart anew, if another parser did it before."""
        landing = self.context.landing
        parts = self.context.ledger.parts_read_otherwise(SOURCE, self.parser)
        for day, name in [(part.day, part.part) for part in parts]:
            landed = landing.records(SOURCE, day, name)
            fresh = [self._read_anew(old) for old in landed]
            # With a better reading of its time a report may change its day. It
            # is in the new one before it is out of the old one.
            if moved := [r for r in fresh if r["day"] != day]:
                self._merge_all(moved, beside=(day, name))
                landing.flush()
                for other in sorted({r["day"] for r in moved}):
                    self.context.ledger.move_feeds(SOURCE, day, other)
            stayed = (r for r in fresh if r["day"] == day)
            records = merge_heartbeats(stayed, self._read_again)
            self._write((day, name), records, landed, self.parser)

    def _read_anew(self, old: Json) -> Json:
        fresh = self._read_again(old)
        if old["problem"] not in YIELDING:
            return fresh
        # What counts of its name may lie under another day.
        return {**fresh, "problem": old["problem"], "check_groups": []}

    def _read_again(self, old: Json) -> Json:
        """A landed record, taken apart anew from its text."""
        context = self.context
        text = masked(old["filename"], old["raw"], context.masks)
        if old["fields"] is None:
            # Not taken apart, and cut.
            fresh: Json = {**old, "raw": text, "problem": TOO_LONG}
            context.know(fresh, text)
            return fresh
        fresh = dict(parse_heartbeat(old["filename"], text, context.now))
        context.know(fresh, text)
        if fresh["problem"] == TOO_FAR_AHEAD and old["problem"] is None:
            fresh["problem"] = None  # the clock is wrong now, not then
        day = fresh["at"][:10] if fresh["at"] else old["day"]
        kept = {key: old[key] for key in ("modified", "unproven") if key in old}
        return fresh | kept | {"day": day}

    def say(self) -> None:
        if self.read:
            size = self.read_bytes
            self.context.say(ReadInput(SOURCE, self.read, "heartbeat", "", size))
            self.context.report.inputs += self.read


def _with_twins(names: Iterable[str]) -> set[str]:
    return {either for name in names for either in (name, twin_of(name))}


def _names(records: list[Json]) -> set[str]:
    return {record["filename"] for record in records}
