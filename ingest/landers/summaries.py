"""Landing optimizer summaries: free text, one version per content."""

from __future__ import annotations

from ingest.documents import Document
from ingest.identity import merge_summaries, summaries_content, summary_identity
from ingest.landers.context import Context, count
from ingest.landing import Json, digest
from ingest.sources.lines import day_of, fallback_time, read_lines, time_to_carry
from ingest.sources.optimization_summary import parse_line
from ingest.text import clean

SOURCE = "optimization_summary"
PART = "optimization_summary.ndjson.gz"


class SummaryLander:
    """Collects the lines of summaries and merges them into their days."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.pending: dict[str, list[Json]] = {}
        self.days_by_version: dict[str, set[str]] = {}
        for day, versions in context.ledger.keys(SOURCE):
            for version in versions:
                self.days_by_version.setdefault(version, set()).add(day)

    def add(self, document: Document) -> None:
        """Read one summary. Raises OSError."""
        context = self.context
        name = context.masks.text(clean(document.name))
        records: list[Json] = []
        texts = []
        last_at = None
        keys: dict[str, set[str]] = {}
        with document.open() as stream:
            for line in read_lines(stream):
                fallback = fallback_time(name, last_at, document.modified, context.now)
                parsed = parse_line(
                    line.text, line.number, name, fallback, context.now, context.masks
                )
                last_at = time_to_carry(parsed, last_at, context.now)
                texts.append(context.masks.raw(line.text))
                for place, record in enumerate(parsed.records):
                    day = day_of(record, fallback).isoformat()
                    record |= {"place": place, "day": day}
                    if not document.is_proven:
                        record["unproven"] = True
                    keys.setdefault(day, set()).update(parsed.keys)
                    records.append(record)
        if not records:
            return
        version = digest(texts)[:16]
        for record in records:
            record["version"] = version
        for day, names in keys.items():
            # A version stays on the days on which it was first landed.
            if names and day in self.days_by_version.get(version, keys):
                context.saw_columns(SOURCE, name, [day], sorted(names))
        if self._is_landed(version, records):
            return
        self.days_by_version[version] = {record["day"] for record in records}
        for record in records:
            self.pending.setdefault(record["day"], []).append(record)
        context.say(f"{count(len(records), 'record')} from {name}")
        context.report.inputs += 1

    def _is_landed(self, version: str, records: list[Json]) -> bool:
        """Whether every record of a version is landed, on whichever day."""
        days = self.days_by_version.get(version, set())
        landed = {
            summary_identity(record)
            for day in days
            for record in [*self._landed(day), *self.pending.get(day, [])]
        }
        missing = [r for r in records if summary_identity(r) not in landed]
        records[:] = missing
        return not missing

    def _landed(self, day: str) -> list[Json]:
        return self.context.landing.records(SOURCE, day, PART)

    def flush(self) -> None:
        """Merge what was read into the landing, day by day."""
        for day, fresh in sorted(self.pending.items()):
            before = self._landed(day)
            after = merge_summaries([*before, *fresh])
            if after != before:
                self.context.landing.write_records(
                    SOURCE, day, PART, after, summaries_content(after)
                )
                self.context.landed(day, len(after) - len(before))
        self.pending.clear()
