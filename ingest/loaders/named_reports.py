"""Landing further reports of checks: one file each, known by its name."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace

from ingest.inputs import InputFile
from ingest.loaders.context import Context, Loader, ReadInput
from ingest.parsers import parser_fingerprints
from ingest.registry import KINDS, Identity, sources_known_by
from ingest.sources.reports import MAX_BYTES, TOO_LONG, parse_report, read_report
from ingest.store.digests import digest
from ingest.store.merge import report_age, text_of
from ingest.store.named import merge_named, named_content, named_order
from ingest.store.part_files import Json, part_name
from ingest.store.parts import superseded_versions
from ingest.text.numbers import count
from ingest.text.times import TOO_FAR_AHEAD, believable

[ENTRY] = sources_known_by(Identity.FILE)
SOURCE = ENTRY.name
PART = part_name(SOURCE)

Days = dict[str, list[Json]]


class NamedReportLoader(Loader):
    """Collects reports and merges them into their days."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        parser = parser_fingerprints([SOURCE])[SOURCE]
        self.parser = digest([parser, context.masks.own])
        self.pending: list[Json] = []
        # The keys of live files, by the contents that were read of them.
        self.live: dict[str, tuple[str, str]] = {}
        # By name, the days under which it is landed.
        self.days: dict[str, set[str]] = {}
        for day, names in context.ledger.keys(SOURCE):
            self._is_landed(day, names)

    def _is_landed(self, day: str, names: Iterable[str]) -> None:
        for name in names:
            self.days.setdefault(name, set()).add(day)

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
        name, kind = input_file.name, KINDS[input_file.kind]
        report, keys = read_report(name, kind, data, context.now, context.masks)
        record: Json = dict(report)
        context.know(record, record["raw"])
        record["modified"] = input_file.epoch
        if not input_file.is_proven:
            record["unproven"] = True
        day = str(believable(input_file.modified, context.now).date())
        record["day"] = record["at"][:10] if record["at"] else day
        if input_file.key is not None:
            self.live[text_of(record)] = (input_file.key, input_file.shown)
        self.pending.append(record)
        context.feeds(SOURCE, [record["day"]])
        context.saw_columns(SOURCE, name, [record["day"]], keys, is_whole=True)
        checks, size = len(record["checks"]), input_file.size
        context.say(ReadInput(SOURCE, checks, "check", name, size))
        context.report.inputs += 1

    def flush(self) -> None:
        """Merge what was read with what is landed of its names."""
        if self.pending:
            self._merge(self.pending)
        self.pending.clear()
        self.live.clear()

    def choose_newest(self) -> None:
        """Let the newest of all versions count where --force asks for it."""
        landing = self.context.landing
        for _, day, _, path in superseded_versions(landing.root.landing, [SOURCE]):
            if self.context.forces(ENTRY.dataset, day):
                with landing.open(path) as lines:
                    self.pending += [json.loads(line) for line in lines]
        self.flush()

    def read_again(self) -> None:
        """Take landed reports apart anew, if another parser did it before."""
        parts = self.context.ledger.parts_read_otherwise(SOURCE, self.parser)
        for day in [part.day for part in parts]:
            landed = self.context.landing.records(SOURCE, day, PART)
            fresh = [self._read_anew(old) for old in landed]
            for other in sorted({r["day"] for r in fresh} - {day}):
                self.context.ledger.move_feeds(SOURCE, day, other)
            self._merge(fresh, instead_of=day)

    def _read_anew(self, old: Json) -> Json:
        """A landed record, taken apart anew from its text."""
        context = self.context
        if old["problem"] == TOO_LONG:
            fresh: Json = {**old, "raw": context.masks.text(old["raw"])}
        else:
            kind = KINDS[old["report_type"]]
            text = old["raw"]
            report, _ = parse_report(
                old["filename"], kind, text, context.now, context.masks
            )
            fresh = dict(report)
        context.know(fresh, fresh["raw"])
        if fresh["problem"] == TOO_FAR_AHEAD and old["problem"] is None:
            fresh["problem"] = None  # the clock is wrong now, not then
        day = fresh["at"][:10] if fresh["at"] else old["day"]
        kept = {key: old[key] for key in ("modified", "unproven") if key in old}
        chosen = {key: old[key] for key in ("chosen_since",) if key in old}
        return fresh | kept | {"day": day} | chosen

    # Merging

    def _merge(self, fresh: list[Json], instead_of: str | None = None) -> None:
        """Merge reports with the landed ones of their names; those of the day
        `instead_of` are the fresh ones themselves."""
        landing = self.context.landing
        names = {record["filename"] for record in fresh}
        days = {record["day"] for record in fresh} | {instead_of or fresh[0]["day"]}
        days.update(day for name in names for day in self.days.get(name, ()))
        before = {day: landing.records(SOURCE, day, PART) for day in sorted(days)}
        stays = {day: r for day, r in before.items() if day != instead_of}
        same = [r for records in stays.values() for r in records]
        same = [record for record in same if record["filename"] in names]
        counting, others = merge_named([*same, *fresh], self._forces)
        told = {text_of(record) for record in [*counting, *others]}
        for text in {text_of(record) for record in fresh} - told:
            if live := self.live.get(text):
                self.context.was_cut_short(*live)
        after: Days = {day: [] for day in before}
        for day, records in stays.items():
            after[day] = [r for r in records if r["filename"] not in names]
        for record in counting:
            after[record["day"]].append(record)
        for other in others:
            version = digest([text_of(other)])
            day = other["day"]
            landing.keep_superseded_records(SOURCE, day, PART, version, [other])
            self._warn_of(other, counting)
        self._write_changed(before, after, instead_of)

    def _write_changed(self, before: Days, after: Days, instead_of: str | None) -> None:
        leaving = []
        for day, records in after.items():
            records.sort(key=named_order)
            if _names(before[day]) - _names(records):
                leaving.append(day)
            elif records != before[day] or day == instead_of:
                self._write(day, records, before[day])
        if leaving:
            # A report that moves is in its new day before it is out of the old one.
            self.context.landing.flush()
        for day in leaving:
            self._write(day, after[day], before[day])

    def _write(self, day: str, records: list[Json], before: list[Json]) -> None:
        landing = self.context.landing
        known = landing.ledger.part(SOURCE, day, PART)
        content = named_content(records, ENTRY.dataset, self.parser)
        old = named_content(before, ENTRY.dataset)
        # What was chosen, or has moved, is no loss.
        fewer = old.counts[ENTRY.dataset] - content.counts[ENTRY.dataset]
        gone = max(0, fewer) + (known.dropped if known else 0)
        content = replace(content, dropped=gone)
        landing.write_records(SOURCE, day, PART, records, content)
        self.context.landed(day, max(0, -fewer))
        self._is_landed(day, content.keys)

    def _forces(self, record: Json) -> bool:
        return self.context.forces(ENTRY.dataset, record["day"])

    def _warn_of(self, other: Json, counting: list[Json]) -> None:
        """Say that a live file does not count though it is the newest."""
        live = self.live.get(text_of(other))
        [kept] = [r for r in counting if r["filename"] == other["filename"]]
        if live is None or report_age(other) <= report_age(kept):
            return
        key, shown = live
        held = count(len(kept["checks"]), "check")
        said = (
            f"{shown}: what holds {held} is kept, because the newest holds "
            f"{len(other['checks']):,}"
        )
        said = self.context.lets_newest_count(said, other["day"])
        self.context.report.warnings.append(said)
        # To be said again, as long as it lies there.
        self.context.ledger.forget_inputs([key])


def _names(records: list[Json]) -> set[str]:
    return {record["filename"] for record in records}
