"""Landing heartbeats: a year holds 105,120, a day's part holds 288."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from ingest.documents import Document, name_date
from ingest.identity import (
    REPLACED,
    UNPROVEN,
    heartbeats_content,
    merge_heartbeats,
)
from ingest.landers.context import Context, count
from ingest.landing import Json
from ingest.parsers import parser_fingerprints
from ingest.sources.heartbeats import (
    TOO_LONG,
    day_of,
    parse_heartbeat,
    read_heartbeat,
)
from ingest.text import MAX_HEARTBEAT_BYTES
from ingest.times import TOO_FAR_AHEAD

PART = "heartbeats.ndjson.gz"
# Read so much before it is written: few rewrites of a day, bounded memory.
MOST_PENDING = 10_000
MOST_PENDING_CHARS = 32 << 20


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


class HeartbeatLander:
    """Collects heartbeats and merges them into their days."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.pending: list[Json] = []
        self.pending_chars = 0
        self.read = 0
        self.parser = parser_fingerprints(["heartbeats"])["heartbeats"]
        self.landed = LandedNames()
        for day, names in context.ledger.keys("heartbeats"):
            self.landed.add(day, names)

    @property
    def is_full(self) -> bool:
        return (
            len(self.pending) >= MOST_PENDING
            or self.pending_chars >= MOST_PENDING_CHARS
        )

    def add(self, document: Document) -> None:
        """Read one heartbeat. Raises OSError."""
        with document.open() as stream:
            # A buffer for the longest of all would cost more than the rest.
            data = stream.read(min(document.size, MAX_HEARTBEAT_BYTES) + 1)
            if len(data) > document.size:  # it has grown since
                data += stream.read(MAX_HEARTBEAT_BYTES + 1 - len(data))
        context = self.context
        record: Json = dict(
            read_heartbeat(document.name, data, context.now, context.masks)
        )
        record["modified"] = document.epoch
        record["day"] = day_of(record, document.modified, context.now).isoformat()
        if not document.is_proven:
            record["unproven"] = True
        self.pending.append(record)
        self.pending_chars += len(record["raw"])
        self.read += 1

    def flush(self) -> None:
        """Merge what was read into the landing, day by day."""
        context = self.context
        if not self.pending:
            return
        touched = {record["day"] for record in self.pending}
        for record in self.pending:
            touched.update(self.landed.days(record["filename"]))
        before = {day: self._landed(day) for day in touched}
        records = [r for day in sorted(before) for r in before[day]] + self.pending
        after: dict[str, list[Json]] = {day: [] for day in touched}
        for record in merge_heartbeats(records, self._read_again):
            after[record["day"]].append(record)
        changed = [day for day in sorted(after) if after[day] != before[day]]
        shrinking = [day for day in changed if len(after[day]) < len(before[day])]
        for day in changed:
            if day not in shrinking:
                self._write(day, after[day], before[day], self.parser)
        for day in shrinking:
            # A record that moves is in its new day before it is out of the old one.
            context.landing.settle()
            self._write(day, after[day], before[day], self.parser)
        self.pending.clear()
        self.pending_chars = 0

    def _write(
        self, day: str, records: list[Json], before: list[Json], parser: str
    ) -> None:
        context = self.context
        known = context.ledger.part("heartbeats", day, PART)
        content = heartbeats_content(records, parser)
        old = heartbeats_content(before, parser)
        # With a newer heartbeat or a better parser, fewer is no loss.
        fewer = [old.counts[name] - content.counts[name] for name in content.counts]
        gone = max(0, *fewer) + (known.dropped if known else 0)
        context.landing.write_records(
            "heartbeats", day, PART, records, replace(content, dropped=gone)
        )
        context.landed(day, max(len(records) - len(before), 0))
        self.landed.add(day, content.keys)

    def _landed(self, day: str) -> list[Json]:
        return self.context.landing.records("heartbeats", day, PART)

    def read_again(self) -> None:
        """Take landed reports apart anew, if another parser did it before."""
        ledger = self.context.ledger
        for part in ledger.parts_read_otherwise("heartbeats", self.parser):
            landed = self._landed(part.day)
            fresh = [self._read_anew(old) for old in landed]
            # With a better reading of its time a report may change its day. It
            # is in the new one before it is out of the old one.
            for day in sorted({r["day"] for r in fresh} - {part.day}):
                before = self._landed(day)
                moved = [r for r in fresh if r["day"] == day]
                known = ledger.part("heartbeats", day, PART)
                after = merge_heartbeats([*before, *moved], self._read_again)
                self._write(day, after, before, known.parser if known else self.parser)
                self.context.landing.settle()
            stayed = (r for r in fresh if r["day"] == part.day)
            records = merge_heartbeats(stayed, self._read_again)
            self._write(part.day, records, landed, self.parser)

    def _read_anew(self, old: Json) -> Json:
        fresh = self._read_again(old)
        if old["problem"] != REPLACED:
            return fresh
        # The newer one of its name may lie under another day.
        return {**fresh, "problem": REPLACED, "check_groups": []}

    def _read_again(self, old: Json) -> Json:
        """A landed record, taken apart anew from its text."""
        if old["fields"] is None:
            return {**old, "problem": TOO_LONG}  # not taken apart, and cut
        context = self.context
        text = context.masks.text(old["raw"])
        fresh: Json = dict(parse_heartbeat(old["filename"], text, context.now))
        if old["problem"] == TOO_FAR_AHEAD:
            # What was true when it was landed stays true.
            fresh |= {"problem": old["problem"], "at": old["at"]}
        day = fresh["at"][:10] if fresh["at"] else old["day"]
        kept = {key: old[key] for key in ("modified", "unproven") if key in old}
        return fresh | kept | {"day": day}

    def say(self) -> None:
        if self.read:
            self.context.say(count(self.read, "heartbeat"))
            self.context.report.inputs += self.read
