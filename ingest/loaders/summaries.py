"""Landing optimizer summaries: free text, one version per content and night."""

from __future__ import annotations

from dataclasses import replace

from ingest.inputs import InputFile
from ingest.loaders.context import Context, Loader, ReadInput
from ingest.names import name_date
from ingest.sources.lines import day_of
from ingest.sources.optimization_summary import read_summary
from ingest.store.contents import summaries_content
from ingest.store.merge import (
    SummaryVersion,
    merge_summaries,
    summary_content,
    summary_identity,
    text_mark,
)
from ingest.store.part_files import Json
from ingest.text.clean import clean

SOURCE = "optimization_summary"
PART = "optimization_summary.ndjson.gz"


class SummaryLoader(Loader):
    """Collects the lines of summaries and merges them into their days."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.pending: dict[str, list[Json]] = {}
        # By content, the days under which its versions have lines.
        self.versions: dict[str, dict[SummaryVersion, set[str]]] = {}
        # Copies of dated ones: what is landed of them goes.
        self.yielding: dict[str, set[str]] = {}
        for day, texts in context.ledger.keys(SOURCE):
            for text in texts:
                self._days_of(SummaryVersion.of(text, day)).add(day)

    def _days_of(self, version: SummaryVersion) -> set[str]:
        return self.versions.setdefault(version.content, {}).setdefault(version, set())

    def add(self, input_file: InputFile) -> None:
        """Read one summary. Raises OSError."""
        context = self.context
        name = context.masks.text(clean(input_file.name))
        records: list[Json] = []
        texts = []
        keys: dict[str, set[str]] = {}
        with input_file.open() as stream:
            for parsed, fallback in read_summary(
                stream, name, input_file.modified, context.now, context.masks
            ):
                raw = context.masks.identity(parsed.records[0]["raw"])
                texts.append(text_mark(raw))
                for place, record in enumerate(parsed.records):
                    day = day_of(record, fallback).isoformat()
                    record |= {"place": place, "day": day}
                    if not input_file.is_proven:
                        record["unproven"] = True
                    keys.setdefault(day, set()).update(parsed.keys)
                    records.append(record)
        if not records:
            return
        content = summary_content(texts)
        # Equal content may stand, or come to stand, on the days of either.
        for days in [set(keys), *self.versions.get(content, {}).values()]:
            context.feeds(SOURCE, days)
        version = self._version(input_file, content)
        if version is None:
            return
        for record in records:
            record["version"] = str(version)
        fresh, is_copy = self._not_landed(version, records, input_file.is_timed)
        if is_copy:
            return
        days = self._days_of(version)
        days.update(record["day"] for record in fresh)
        for day, names in keys.items():
            # A version stays on the days on which it was first landed.
            if names and day in days:
                context.saw_columns(SOURCE, name, [day], sorted(names))
        if not fresh:
            return
        for record in fresh:
            self.pending.setdefault(record["day"], []).append(record)
        context.say(ReadInput(SOURCE, len(fresh), "record", name, input_file.size))
        context.report.inputs += 1

    def _version(self, input_file: InputFile, content: str) -> SummaryVersion | None:
        """Which version a content is; None if it is a copy of a landed one."""
        named = name_date(input_file.name)
        night = (named or input_file.modified.date()).isoformat()
        kind = "dated" if named else "undated" if input_file.is_timed else "read"
        version = SummaryVersion(content, night, kind)
        known = self.versions.get(content, {})
        if any(version.is_copy_of(other) for other in known):
            return None
        for other in [other for other in known if other.is_copy_of(version)]:
            for day in known.pop(other):
                self.yielding.setdefault(day, set()).add(str(other))
        return version

    def _not_landed(
        self, version: SummaryVersion, records: list[Json], is_timed: bool
    ) -> tuple[list[Json], bool]:
        """The records of a version that are not landed, on whichever day; and
        whether they all are, but under another name."""
        landed = {
            summary_identity(record): record
            for day in self._days_of(version)
            for record in [*self._landed(day), *self.pending.get(day, [])]
        }
        fresh = []
        for record in records:
            before = landed.get(summary_identity(record))
            if before is not None:
                record["day"] = before["day"]
            # A moment of reading changes no time that is landed.
            if before is None or (
                is_timed and merge_summaries([before, record]) != [before]
            ):
                fresh.append(record)
        names = {record["source_file"] for record in landed.values()}
        return fresh, not fresh and records[0]["source_file"] not in names

    def _landed(self, day: str) -> list[Json]:
        return self.context.landing.records(SOURCE, day, PART)

    def flush(self) -> None:
        """Merge what was read into the landing, day by day."""
        shrinking = []
        for day in sorted(self.pending.keys() | self.yielding.keys()):
            before = self._landed(day)
            both = [*before, *self.pending.get(day, [])]
            gone = self.yielding.get(day, set())
            after = [r for r in merge_summaries(both) if r["version"] not in gone]
            files = {r["source_file"] for r in both} - {r["source_file"] for r in after}
            if files:
                self.context.forget_columns(SOURCE, day, files)
            if len(after) < len(before):
                shrinking.append((day, before, after))
            elif after != before:
                self._write(day, before, after)
        for day, before, after in shrinking:
            # The dated copy is in its days before the other is out of its own.
            self.context.landing.flush()
            self._write(day, before, after)
        self.pending.clear()
        self.yielding.clear()

    def _write(self, day: str, before: list[Json], after: list[Json]) -> None:
        known = self.context.ledger.part(SOURCE, day, PART)
        stayed = {summary_identity(record) for record in after}
        gone = sum(summary_identity(record) not in stayed for record in before)
        content = replace(
            summaries_content(after), dropped=gone + (known.dropped if known else 0)
        )
        self.context.landing.write_records(SOURCE, day, PART, after, content)
        self.context.landed(day, max(len(after) - len(before), 0))
