"""What was landed under other masks is masked again, once.

Each part says in the ledger under which masks it was landed. What is landed as
a whole text is taken apart anew by its own loader. All others keep their times
and their days; what they are known by follows their text, so that reading their
inputs again adds nothing. Records that become equal where equal ones count once are
collapsed, and counted as dropped.
"""

from __future__ import annotations

import csv
import json
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import Any, BinaryIO, cast

from ingest import files
from ingest.inputs import input_path
from ingest.loaders.context import Context
from ingest.loaders.masked_rows import mask_rows
from ingest.masking.masks import Masks
from ingest.masking.structure import mask_line, may_go_on
from ingest.registry import CSV_SOURCES, SOURCES, Identity
from ingest.sources.optimization_summary import parse_line
from ingest.store.contents import Content
from ingest.store.digests import digest
from ingest.store.landing import HELD_WHOLE
from ingest.store.ledger import Part
from ingest.store.merge import (
    SummaryVersion,
    content_of,
    line_identity,
    line_order,
    merge_columns,
    merge_reports,
    merge_summaries,
    summary_content,
    text_mark,
    text_of,
)
from ingest.store.part_files import Json, part_number
from ingest.store.parts import superseded_versions
from ingest.store.reconcile import content_of_records
from ingest.text.times import parse_time

# What is said of a line besides what stands in it.
SAID_OF_LINE = ("at", "problem", "line_number")
# Lines of a file that may be blank between two that are landed.
MOST_BLANK = 2


def mask_again(context: Context) -> None:
    """Mask what the ledger says was landed under other masks than these."""
    stale = {
        source: context.ledger.parts_read_otherwise(source, context.landing.masked_by)
        for source, entry in SOURCES.items()
        if not entry.is_read_again
    }
    if not any(stale.values()):
        return
    again = _Again(context)
    # First what no entry of the ledger speaks of: a run may be killed before it
    # can say that all is done.
    again.superseded()
    again.inputs()
    for source, parts in stale.items():
        if not parts:
            continue
        identity = SOURCES[source].identity
        if identity is Identity.LINE:
            again.lines(source)
        elif identity is Identity.NIGHT:
            again.summaries(source)
        else:
            one = again.rows if identity is Identity.VERSION else again.records
            for part in parts:
                one(part)
        context.landing.commit()


class _Again:
    """One pass over what is landed."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.landing = context.landing
        self.ledger = context.ledger
        self.masks = context.masks

    # Sources whose records stand for themselves

    def records(self, part: Part) -> None:
        before = self.landing.records(part.source, part.day, part.part)
        after = [masked(record, self.masks) for record in before]
        identity = SOURCES[part.source].identity
        if identity is Identity.REPORT:
            for record in after:
                self.context.know(record, content_of(record))
            after, others = merge_reports(after)
            self._supersede(part.source, part.day, part.part, others)
        elif identity is Identity.COLUMN:
            after = merge_columns(after, [])
        self._write(part, before, after)

    def _supersede(
        self, source: str, day: str, part: str, records: Iterable[Json]
    ) -> None:
        for record in records:
            version = digest([content_of(record)])
            self.landing.keep_superseded_records(source, day, part, version, [record])

    # Files of rows

    def rows(self, part: Part) -> None:
        path = self.landing.path(part.source, part.day, part.part)
        with self._spool() as text, self.landing.open(path) as landed:
            made = mask_rows(
                landed, cast(BinaryIO, text), part.source, part.part, self.context
            )
            if made == part.fingerprint:
                self._is_masked(part)
                return
            content = Content(
                made, part.counts, part.source_bytes, dropped=part.dropped
            )
            origin = self.landing.origin(path)
            self.landing.write_text(
                part.source, part.day, part.part, cast(BinaryIO, text), content, origin
            )

    def _spool(self) -> tempfile.SpooledTemporaryFile[bytes]:
        files.make_private_folder(self.landing.staging)
        return tempfile.SpooledTemporaryFile(HELD_WHOLE, dir=str(self.landing.staging))

    # Versions that do not count

    def superseded(self) -> None:
        for source, day, part, path in superseded_versions(
            self.landing.root.landing, SOURCES
        ):
            if self.landing.dry_run:
                return
            mask = self._old_rows if source in CSV_SOURCES else self._old_records
            try:
                mask(source, day, part, path)
            except (ValueError, LookupError, TypeError, AttributeError, csv.Error):
                shown = self.landing.root.relative(path)
                self.context.report.warnings.append(
                    f"{shown}: is no version of ours; left as it is"
                )

    def _old_rows(self, source: str, day: str, part: str, path: Path) -> None:
        with self._spool() as text, self.landing.open(path) as landed:
            made = mask_rows(landed, cast(BinaryIO, text), source, part, self.context)
            if self.landing.superseded_path(source, day, part, made) == path:
                return
            origin = self.landing.origin(path)
            self.landing.keep_superseded(
                source, day, part, made, cast(BinaryIO, text), origin
            )
        path.unlink()

    def _old_records(self, source: str, day: str, part: str, path: Path) -> None:
        with self.landing.open(path) as lines:
            before = [json.loads(line) for line in lines]
        after = [masked(record, self.masks) for record in before]
        if after != before:
            self._supersede(source, day, part, after)
            path.unlink()

    # Logs: lines are known by file, text and ordinal

    def lines(self, source: str) -> None:
        """Mask lines, and number those anew that are equal to others now."""
        parts = self._in_order(source)
        changed: set[tuple[str, bytes]] = set()
        for _, record, fresh in self._masked_lines(source, parts):
            if fresh is not record:
                changed.add(_equal_lines(fresh))
        if not changed:
            for part in parts:
                self._is_masked(part)
            return
        ordinals = self._ordinals(source, parts, changed)
        by_part = groupby(self._masked_lines(source, parts), key=lambda line: line[0])
        for part, lines in by_part:
            before, after = [], []
            for _, record, fresh in lines:
                mark = line_identity(record)
                if mark in ordinals:
                    fresh = {**fresh, "ordinal": ordinals[mark]}
                before.append(record)
                after.append(fresh)
            self._write(part, before, sorted(after, key=line_order))

    def _masked_lines(
        self, source: str, parts: Iterable[Part]
    ) -> Iterator[tuple[Part, Json, Json]]:
        """(part, line, the line masked) in the order of the files; one in which
        nothing is masked comes back itself."""
        across = _Across()
        for part in parts:
            for record in self.landing.records(source, part.day, part.part):
                yield part, record, self._masked_line(source, record, across)

    def _masked_line(self, source: str, record: Json, across: _Across) -> Json:
        written, file = record["raw"], self.masks.text(record["source_file"])
        text = across.masked(file, record["line_number"], written)
        fresh = {**record, "source_file": file}
        if text != written or self.masks.suspicious(text):
            now = self.context.now
            [read] = (
                SOURCES[source]
                .line_parser(text, record["line_number"], file, now, now, self.masks)
                .records
            )
            if read["raw"] != written:
                fresh |= {k: read[k] for k in read if k not in SAID_OF_LINE}
        self.context.know(fresh, fresh["raw"])
        return record if fresh == record else fresh

    def _ordinals(
        self, source: str, parts: list[Part], changed: set[tuple[str, bytes]]
    ) -> dict[str, int]:
        """By what a line was known by, its new ordinal among equal ones."""
        same: dict[tuple[str, bytes], list[tuple[int, int, str]]] = {}
        for _, record, fresh in self._masked_lines(source, parts):
            if (key := _equal_lines(fresh)) in changed:
                place = record["line_number"], record["ordinal"]
                same.setdefault(key, []).append((*place, line_identity(record)))
        return {
            mark: ordinal
            for lines in same.values()
            for ordinal, (*_, mark) in enumerate(sorted(lines), start=1)
        }

    # Summaries: a version is known by the texts of all its lines

    def summaries(self, source: str) -> None:
        parts = self._in_order(source)
        contents = self._summary_contents(source, parts)
        across = _Across()
        for part in parts:
            before = self.landing.records(source, part.day, part.part)
            after: list[Json] = []
            for line in _by_line(before):
                version = SummaryVersion.of(line[0]["version"], part.day)
                content = contents[line[0]["version"]]
                name = str(version._replace(content=content))
                fresh = self._masked_summary_line(line, across)
                after += [{**record, "version": name} for record in fresh]
            self._write(part, before, merge_summaries(after))

    def _summary_contents(self, source: str, parts: Iterable[Part]) -> dict[str, str]:
        """By version as it was landed, what its content is now."""
        texts: dict[str, dict[int, bytes]] = {}
        across = _Across()
        for part in parts:
            for line in _by_line(self.landing.records(source, part.day, part.part)):
                raw = self._masked_summary_line(line, across)[0]["raw"]
                numbered = texts.setdefault(line[0]["version"], {})
                numbered[line[0]["line_number"]] = text_mark(self.masks.identity(raw))
        return {
            version: summary_content(marks for _, marks in sorted(numbered.items()))
            for version, numbered in texts.items()
        }

    def _masked_summary_line(self, line: list[Json], across: _Across) -> list[Json]:
        """The records of a line, which may be fewer when a number was masked."""
        first = line[0]
        written, file = str(first["raw"] or ""), self.masks.text(first["source_file"])
        text = across.masked(first["version"], first["line_number"], written)
        if text == written and not self.masks.suspicious(text):
            return [{**record, "source_file": file} for record in line]
        at = parse_time(first["at"] or "") or self.context.now
        fresh = parse_line(
            text, first["line_number"], file, at, self.context.now, self.masks
        ).records
        if not fresh or fresh[0]["raw"] == written:
            return [{**record, "source_file": file} for record in line]
        kept = {name: first[name] for name in first if name not in fresh[0]}
        said = {name: first[name] for name in SAID_OF_LINE}
        return [
            {**record, **kept, **said, "place": place}
            for place, record in enumerate(fresh)
        ]

    # What all share

    def _in_order(self, source: str) -> list[Part]:
        parts = list(self.ledger.parts(source))
        return sorted(parts, key=lambda part: (part.day, part_number(part.part)))

    def _write(self, part: Part, before: list[Json], after: list[Json]) -> None:
        if after == before:
            self._is_masked(part)
            return
        content = content_of_records(part.source, after)
        gone = part.dropped + max(len(before) - len(after), 0)
        self.landing.write_records(
            part.source, part.day, part.part, after, replace(content, dropped=gone)
        )
        self.context.landed(part.day, 0)

    def _is_masked(self, part: Part) -> None:
        self.ledger.put_part(replace(part, parser=self.landing.masked_by))

    def inputs(self) -> None:
        """Mask what the ledger calls inputs by."""
        for key, seen in self.ledger.inputs().items():
            fresh = _masked_key(key, self.masks)
            if fresh != key:
                self.ledger.forget_inputs([key])
                self.ledger.put_input(fresh, seen)


class _Across:
    """Secrets over several lines, in files whose lines come in their order."""

    def __init__(self) -> None:
        self._within: dict[str, tuple[int, str]] = {}

    def masked(self, file: str, number: int, text: str) -> str:
        last, within = self._within.get(file, (0, ""))
        if not last < number <= last + 1 + MOST_BLANK:
            within = ""
        if within or may_go_on(text.encode()):
            text, within = mask_line(text, within)
        self._within[file] = number, within
        return text


def masked(record: Json, masks: Masks) -> Json:
    """A record with all its texts masked."""
    fresh: Json = _masked_value(record, masks)
    return fresh


def _masked_value(value: Any, masks: Masks) -> Any:
    if isinstance(value, str):
        return masks.text(value)
    if isinstance(value, list):
        return [_masked_value(item, masks) for item in value]
    if isinstance(value, dict):
        return {key: _masked_value(item, masks) for key, item in value.items()}
    return value


def _masked_key(key: str, masks: Masks) -> str:
    """What the ledger calls an input; one that was masked before is told apart by
    the digest of its path."""
    if key.startswith("#"):
        mark, _, shown = key.partition("/")
        return f"{mark}/{masks.text(shown)}"
    return input_path(key, masks).key


def _equal_lines(record: Json) -> tuple[str, bytes]:
    return record["source_file"], text_mark(text_of(record))


def _by_line(records: list[Json]) -> Iterator[list[Json]]:
    """The records of each line of each version, the first of a line first."""
    lines: dict[tuple[str, int], list[Json]] = {}
    for record in records:
        lines.setdefault((record["version"], record["line_number"]), []).append(record)
    for line in lines.values():
        yield sorted(line, key=lambda record: int(record["place"]))
