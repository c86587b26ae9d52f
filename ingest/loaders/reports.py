"""Landing index advisor reports: one file, overwritten every night."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime

from ingest.inputs import InputFile
from ingest.loaders.context import Context, Loader, ReadInput
from ingest.registry import KNOWLEDGE, REPORTS, SOURCES
from ingest.sources.index_advisor import parse_report
from ingest.store.contents import reports_content
from ingest.store.digests import digest
from ingest.store.merge import TORN, content_of, merge_reports, report_age, report_key
from ingest.store.part_files import Json
from ingest.store.parts import superseded_versions
from ingest.text.clean import decode
from ingest.text.json_text import compact
from ingest.text.numbers import count

SOURCE = "index_advisor"
PART = "index_advisor.ndjson.gz"
MAX_BYTES = 16 << 20


class ReportLoader(Loader):
    """Collects reports and merges them into their days."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.pending: dict[str, list[Json]] = {}
        # The keys of live files, by the contents that were read of them.
        self.live: dict[str, tuple[str, str]] = {}
        # The contents of landed reports without a time stamp.
        self.untimed = {key for _, keys in context.ledger.keys(SOURCE) for key in keys}

    def add(self, input_file: InputFile) -> None:
        """Read one report. Raises OSError."""
        context = self.context
        with input_file.open() as stream:
            data = stream.read(MAX_BYTES + 1)
        if not data.strip():
            context.report.warnings.append(
                f"{input_file.shown}: is empty; the next run looks at it again"
            )
            return
        name = context.masks.text(input_file.name)
        text = decode(data)
        parsed = parse_report(
            text, name, input_file.modified, context.now, context.masks
        )
        record: Json = dict(parsed.record)
        # Two generators use one name: the folder tells them apart, and a bundle that
        # keeps no folders must say the same.
        folder = input_file.folder or _usual_folder(parsed.keys)
        record["source_file"] = f"{folder}/{name}"
        record |= {
            "modified": input_file.epoch,
            "has_timestamp": parsed.has_timestamp,
            "recommendations": parsed.recommendations,
            "slow_queries": parsed.slow_queries,
        }
        if not input_file.is_proven:
            record["unproven"] = True
        context.know(record, content_of(record))
        if not parsed.has_timestamp:
            if not input_file.is_timed and report_key(record) in self.untimed:
                return  # it says no other day than before
            self.untimed.add(report_key(record))
        if input_file.key is not None:
            self.live[content_of(record)] = input_file.key, input_file.shown
        at = record["at"]
        day = at[:10] if at else _day(input_file.modified)
        self.pending.setdefault(day, []).append(record)
        if record["problem"] is None:
            # Half of it may lie under the day on which it was being written.
            for near in (*_days_around(day), *_days_around(_day(input_file.modified))):
                self.pending.setdefault(near, [])
        context.feeds(SOURCE, [day])
        context.saw_columns(SOURCE, name, [day], parsed.keys)
        context.say(ReadInput(SOURCE, 1, "report", name, input_file.size))
        context.report.inputs += 1

    def flush(self) -> None:
        """Merge what was read into the landing, day by day."""
        read = [record for fresh in self.pending.values() for record in fresh]
        for day, fresh in sorted(self.pending.items()):
            self._merge(day, fresh, read)
        self.pending.clear()
        self.live.clear()

    def _merge(self, day: str, fresh: list[Json], read: list[Json]) -> None:
        """Merge reports into their day; `read` are those of all days."""
        landing = self.context.landing
        before = landing.records(SOURCE, day, PART)
        both = [*before, *fresh]
        if any(record["problem"] for record in both):
            whole = _without_halves(both, [*self._landed_around(day), *read])
            for half in (record for record in fresh if record not in whole):
                if live := self.live.get(content_of(half)):
                    self.context.was_cut_short(*live)
            both = whole
        after, others = merge_reports(both, self._forces(day))
        for other in others:
            landing.keep_superseded_records(
                SOURCE, day, PART, digest([content_of(other)]), [other]
            )
            self._warn_of(other, after)
        if after == before:
            return
        known = landing.ledger.part(SOURCE, day, PART)
        content, old = reports_content(after), reports_content(before)
        # What was half of another, or forced, is no loss.
        fewer = [old.counts[name] - content.counts[name] for name in content.counts]
        gone = max(0, *fewer) + (known.dropped if known else 0)
        landing.write_records(SOURCE, day, PART, after, replace(content, dropped=gone))
        self.context.landed(day, max(len(after) - len(before), 0))

    def _forces(self, day: str) -> bool:
        return any(
            self.context.forces(dataset, day) for dataset in SOURCES[SOURCE].counts_for
        )

    def _warn_of(self, other: Json, after: list[Json]) -> None:
        """Say that a live file does not count though it is the newest."""
        live = self.live.get(content_of(other))
        kept = next((r for r in after if r["at"] == other["at"]), None)
        if live is None or kept is None or report_age(other) <= report_age(kept):
            return
        key, shown = live
        held = count(kept["recommendations"], "recommendation")
        said = (
            f"{shown}: what holds {held} is kept, because the newest of that time "
            f"stamp holds {other['recommendations']:,}"
        )
        day = kept["at"][:10]
        self.context.report.warnings.append(self.context.lets_newest_count(said, day))
        # To be said again, as long as it lies there.
        self.context.ledger.forget_inputs([key])

    def choose_newest(self) -> None:
        """Let the newest of all versions count where --force asks for it."""
        landing = self.context.landing
        for _, day, _, path in superseded_versions(landing.root.landing, [SOURCE]):
            if self._forces(day):
                with landing.open(path) as lines:
                    records = [json.loads(line) for line in lines]
                self.pending.setdefault(day, []).extend(records)
        self.flush()

    def _landed_around(self, day: str) -> list[Json]:
        days = _days_around(day)
        return [r for d in days for r in self.context.landing.records(SOURCE, d, PART)]


def _usual_folder(keys: Iterable[str]) -> str:
    """Where reports with these keys are written: one generator of the two lists
    slow queries."""
    return REPORTS if "slow_queries" in keys else KNOWLEDGE


def _day(at: datetime) -> str:
    return str(at.date())


def _days_around(day: str) -> list[str]:
    number = date.fromisoformat(day).toordinal()
    near = range(max(number - 1, 1), min(number + 1, date.max.toordinal()) + 1)
    return [str(date.fromordinal(each)) for each in near]


def _without_halves(records: list[Json], near: list[Json]) -> list[Json]:
    """Those that are not a reject that is the beginning of a whole report: of one
    that was being written, or copied."""
    whole = [record for record in near if record["report"] is not None]
    return [record for record in records if not _is_half(record, whole)]


def _is_half(record: Json, whole: list[Json]) -> bool:
    if record["problem"] is None:
        return False
    begun = compact((record["raw"] or "").rstrip(TORN))
    return begun != "" and any(
        other["report"].startswith(begun) and len(begun) < len(other["report"])
        for other in whole
        if record.get("unproven") or not other.get("unproven")
    )
