"""Landing append-only files of lines: the query log and telemetry.

A live file is read from where the last run stopped, as long as what lies
before that is still the same; with `from_start`, and in a bundle, from its start.
"""

from __future__ import annotations

import hashlib
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any, BinaryIO

from ingest.inputs import InputFile
from ingest.loaders.context import Context, Loader, ReadInput
from ingest.loaders.known_lines import KnownLines
from ingest.registry import SOURCES
from ingest.sources.lines import (
    Line,
    Parsed,
    date_in,
    day_of,
    fallback_time,
    read_lines,
    time_to_carry,
)
from ingest.store.contents import lines_content
from ingest.store.growing import share_out
from ingest.store.ledger import SeenInput
from ingest.store.merge import (
    goes_on,
    line_identity,
    line_order,
    number_equal_lines,
    text_mark,
    text_of,
)
from ingest.store.part_files import Json
from ingest.text.clean import RAW_LIMIT
from ingest.text.times import parse_time, utc_text

# So much of the file before a position says whether it is still the same file.
PROOF_BYTES = 4096
# Lines that are parsed together, and characters of them.
LINES_AT_ONCE = 10_000
CHARACTERS_AT_ONCE = 4 << 20
# Bytes of new lines that wait to be written, and what a line takes besides.
MOST_PENDING = 32 << 20
PER_LINE = 500


class LineLoader(Loader):
    """Collects lines that are not landed and adds them to their days."""

    def __init__(
        self, context: Context, seen: Mapping[str, SeenInput], from_start: bool = False
    ) -> None:
        super().__init__(context)
        self.seen = seen
        self.from_start = from_start
        self.pending: dict[tuple[str, str], list[Json]] = {}
        self.pending_bytes = 0
        # Where the next run goes on, by path; see `_position`.
        self.positions: dict[str, dict[str, Any]] = {}
        self.known = KnownLines(context)

    def add(self, input_file: InputFile) -> None:
        """Read the new lines of one file. Raises OSError."""
        position = self._position(input_file)
        with input_file.open() as stream:
            if position and _is_same_file(stream, position):
                stream.seek(position["offset"])
            else:
                position = None
                if input_file.path:
                    stream.seek(0)
            self._read(input_file, stream, position)

    def _position(self, input_file: InputFile) -> dict[str, Any] | None:
        seen = self.seen.get(input_file.key or "")
        if seen is None or seen.position is None or self.from_start:
            return None
        return seen.position if input_file.size >= seen.position["offset"] else None

    def _read(
        self, input_file: InputFile, stream: BinaryIO, position: dict[str, Any] | None
    ) -> None:
        """Read a log, many lines at a time: it may be larger than memory."""
        name = self.context.masks.text(input_file.name)
        at = position or {"offset": 0, "lines": 0, "last_at": None, "within": ""}
        # What the file held when it was measured; more may have come since.
        end = {name: at[name] for name in ("offset", "lines", "last_at", "within")}
        seen: Counter[bytes] = Counter()
        records = 0
        lines = read_lines(stream, at["offset"], at["lines"] + 1, at["within"])
        for batch in _batches(lines):
            read = self._read_lines(input_file, name, batch, end)
            fresh = [record for record, _ in read]
            numbered = self._number(input_file, fresh, position, seen)
            self._drop_begun(input_file.kind, numbered)
            self._keep_all(input_file.kind, name, numbered, [keys for _, keys in read])
            records += len(numbered)
            if self.pending_bytes > MOST_PENDING:
                self.flush()
        if input_file.path:
            self._remember(input_file, stream, end)
        if records:
            size = input_file.size
            self.context.say(ReadInput(input_file.kind, records, "line", name, size))
            self.context.report.inputs += 1

    def _read_lines(
        self, input_file: InputFile, name: str, lines: list[Line], end: dict[str, Any]
    ) -> list[tuple[Json, tuple[str, ...]]]:
        """(record, keys seen) of some lines; `end` moves on behind the last."""
        context, source = self.context, input_file.kind
        last_at = parse_time(end["last_at"]) if end["last_at"] else None
        read: list[tuple[Json, tuple[str, ...]]] = []
        # Sought in all of them at once, what is in none is sought in none again.
        context.masks.suspicious("\n".join([line.text for line in lines]))
        for line in lines:
            fallback = fallback_time(name, last_at, input_file.modified, context.now)
            parsed = self._parse(source, line, name, fallback)
            last_at = time_to_carry(parsed, last_at, context.now)
            for record in parsed.records:
                context.know(record, record["raw"])
                record["has_timestamp"] = parsed.time is not None
                record["day"] = day_of(record, fallback).isoformat()
                if not input_file.is_proven:
                    record["unproven"] = True
                if record["problem"] and not line.is_complete:
                    record["cut"] = True
                read.append((record, parsed.keys))
            if line.is_complete:
                end["offset"], end["lines"] = line.end, line.number
                end["within"] = line.within
                end["last_at"] = utc_text(last_at) if last_at else None
        return read

    def _keep_all(
        self,
        source: str,
        name: str,
        records: list[Json],
        seen_keys: list[tuple[str, ...]],
    ) -> None:
        keys: dict[str, set[str]] = {}
        for record, names in zip(records, seen_keys, strict=True):
            self._keep(source, record)
            keys.setdefault(record["day"], set()).update(names)
        self.context.feeds(source, keys)
        for day, found in keys.items():
            self.context.saw_columns(source, name, [day], sorted(found))

    def _parse(self, source: str, line: Line, name: str, fallback: datetime) -> Parsed:
        now, masks = self.context.now, self.context.masks
        parse = SOURCES[source].line_parser
        return parse(line.text, line.number, name, fallback, now, masks)

    # Ordinals among equal lines, where only the end of a file was read

    def _number(
        self,
        input_file: InputFile,
        records: list[Json],
        position: dict[str, Any] | None,
        seen: Counter[bytes],
    ) -> list[Json]:
        """Number lines; `seen` counts those of the file before them."""
        if position is not None:
            fresh = [r for r in records if text_mark(text_of(r)) not in seen]
            wanted = self._texts_to_count(input_file.kind, fresh)
            if wanted:
                with input_file.open() as stream:
                    for line in read_lines(stream):
                        if line.end > position["offset"]:
                            break
                        text = self._raw(input_file.kind, line, input_file)
                        if text in wanted:
                            seen[text_mark(text)] += 1
        return number_equal_lines(records, seen)

    def _raw(self, source: str, line: Line, input_file: InputFile) -> str:
        masks = self.context.masks
        # Only a line in which something is masked has to be parsed for it.
        if len(line.text) <= RAW_LIMIT and not masks.suspicious(line.text):
            return masks.identity(line.text)
        parsed = self._parse(source, line, input_file.name, input_file.modified)
        return masks.identity(str(parsed.records[0]["raw"]))

    def _texts_to_count(self, source: str, records: list[Json]) -> set[str]:
        """Texts among the new ones that may stand in the file before them."""
        texts = {text_of(r): r for r in records}
        return {
            text
            for text, record in texts.items()
            if self.known.has(source, {**record, "ordinal": 1})
        }

    def _keep(self, source: str, record: Json) -> None:
        """Let a line wait to be written, unless it is known."""
        mark = line_identity(record)
        if record["has_timestamp"]:
            known = self.known.timed(source, record)
            if mark in known:
                return
            known.add(mark)
        else:
            untimed = self.known.untimed(source)
            if mark in untimed:
                record["day"] = untimed[mark]
                return
            if record.get("cut"):
                if self._is_begun(source, record):
                    return
                self.known.add_cut(source, record["line_number"], record["day"], mark)
            untimed[mark] = record["day"]
        self.pending.setdefault((source, record["day"]), []).append(record)
        self.pending_bytes += sum(map(sys.getsizeof, record.values())) + PER_LINE

    # The last line of a file that was being written, or copied

    def _drop_begun(self, source: str, records: list[Json]) -> None:
        """Drop the landed beginnings of lines of which there is more now."""
        for record in records:
            for day, mark in self.known.cuts(source, record["line_number"]):
                self._drop(source, day, mark, record)

    def _is_begun(self, source: str, cut: Json) -> bool:
        """Whether more of a line that was cut off is landed: on the day that stands
        in it, that of the line before it, or the next one."""
        self.flush()
        day = date.fromisoformat(cut["day"])
        days = {day, day + timedelta(days=1)}
        if said := date_in(cut["raw"], self.context.now):
            days.add(said.date())
        return any(
            goes_on(record, cut)
            for near in sorted(days)
            for part in self.context.ledger.parts_of(source, str(near))
            for record in self.context.landing.records(source, part.day, part.part)
        )

    def _drop(self, source: str, day: str, mark: str, whole: Json) -> None:
        self.flush()
        for part in reversed(self.context.ledger.parts_of(source, day)):
            before = self.context.landing.records(source, day, part.part)
            after = [
                record
                for record in before
                if line_identity(record) != mark or not goes_on(whole, record)
            ]
            if len(after) < len(before):
                self._write(source, day, part.part, after, dropped=1)
                self.known.forget_cut(source, whole["line_number"], day, mark)
                return

    def _remember(
        self,
        input_file: InputFile,
        stream: BinaryIO,
        end: dict[str, Any],
    ) -> None:
        offset = end["offset"]
        start = max(offset - PROOF_BYTES, 0)
        stream.seek(start)
        proof = hashlib.sha256(stream.read(offset - start)).hexdigest()
        self.positions[input_file.key or ""] = {**end, "proof": proof}

    # Writing

    def _write(
        self, source: str, day: str, part: str, records: list[Json], dropped: int = 0
    ) -> None:
        known = self.context.ledger.part(source, day, part)
        content = replace(
            lines_content(records, SOURCES[source].dataset),
            dropped=dropped + (known.dropped if known else 0),
        )
        self.context.landing.write_records(source, day, part, records, content)

    def flush(self) -> None:
        """Add what was read to the landing, day by day."""
        landing = self.context.landing
        for (source, day), fresh in sorted(self.pending.items()):
            fresh.sort(key=line_order)
            for part, more in share_out(landing, source, day, fresh).items():
                records = [*landing.records(source, day, part), *more]
                self._write(source, day, part, sorted(records, key=line_order))
            self.context.landed(day, len(fresh))
        self.pending.clear()
        self.pending_bytes = 0
        # Nothing that waits is forgotten: all of it is in the landing.
        self.known.forget_if_many()


def _batches(lines: Iterable[Line]) -> Iterator[list[Line]]:
    """Some lines at a time, which take a bounded room."""
    batch: list[Line] = []
    size = 0
    for line in lines:
        batch.append(line)
        size += len(line.text)
        if len(batch) >= LINES_AT_ONCE or size >= CHARACTERS_AT_ONCE:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _is_same_file(stream: BinaryIO, position: dict[str, Any]) -> bool:
    """Whether the bytes before a position are still those that were read."""
    offset = position["offset"]
    start = max(offset - PROOF_BYTES, 0)
    stream.seek(start)
    return bool(
        hashlib.sha256(stream.read(offset - start)).hexdigest() == position["proof"]
    )
