"""The ledger is reconciled with the landing: held against what lies on disk.

What is missing or damaged is forgotten, so that it is read again where the
input still exists; what the ledger does not know (a run was killed, the
ledger was lost) is read from the landing itself.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import re
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import BinaryIO, cast

from ingest import files
from ingest.registry import CSV_SOURCES, SOURCES, Identity
from ingest.root import Root
from ingest.store import ahead
from ingest.store.contents import (
    Content,
    columns_content,
    heartbeats_content,
    lines_content,
    reports_content,
    summaries_content,
)
from ingest.store.copies import copied_parts
from ingest.store.digests import sum_of
from ingest.store.growing import GROWING
from ingest.store.landed_days import landed_days, manifest
from ingest.store.landing import Landing
from ingest.store.ledger import Break, Ledger, Part
from ingest.store.legacy_rows import legacy_content
from ingest.store.named import named_content
from ingest.store.part_files import (
    DAMAGED,
    MANIFEST,
    Json,
    file_of_part,
    is_readable,
    parse_records,
    read_origin,
    text_length,
)
from ingest.store.parts import Found, scan_days, scan_landing
from ingest.text.clean import MAX_CELL_CHARS

BUNDLES = "bundles"
SOURCE_FILE = -4
A_COPY = "a copy: all of its records stand in another part"
# So many odd names are told.
MOST_NAMED = 20


def content_of_records(source: str, records: list[Json], parser: str = "") -> Content:
    """What the ledger says of an NDJSON part."""
    entry = SOURCES[source]
    match entry.identity:
        case Identity.NAME:
            return heartbeats_content(records, parser)
        case Identity.LINE:
            return lines_content(records, entry.dataset)
        case Identity.FILE:
            return named_content(records, entry.dataset, parser)
        case Identity.REPORT:
            return reports_content(records)
        case Identity.NIGHT:
            return summaries_content(records)
        case Identity.ROW:
            return legacy_content(records)
        case Identity.COLUMN:
            return columns_content(records)
        case Identity.VERSION:
            raise ValueError(f"{source} is landed as CSV")


def content_of_csv(
    source: str, text: io.TextIOBase, size: int, file: str | None = None
) -> Content:
    """What the ledger says of a CSV part, from its landing text and the size of
    its input.

    Raises ValueError where its rows do not come from the file of this name.
    """
    csv.field_size_limit(MAX_CELL_CHARS)
    hashed = _Hashing(text)
    reader = csv.reader(hashed)
    next(reader, None)
    rows = 0
    for row in reader:
        if file and row[SOURCE_FILE] != file:
            raise ValueError(f"a copy of {row[SOURCE_FILE]}")
        rows += 1
    return Content(hashed.fingerprint(), {SOURCES[source].dataset: rows}, size)


class _Hashing:
    """Lines of a text on their way through, hashed."""

    def __init__(self, text: io.TextIOBase) -> None:
        self.text = text

        self.made = hashlib.sha256()

    def __iter__(self) -> _Hashing:
        return self

    def __next__(self) -> str:
        line = next(self.text)
        self.made.update(line.encode())
        return line

    def fingerprint(self) -> str:
        return self.made.hexdigest()[:32]


def reconcile(landing: Landing, thoroughly: bool = False) -> list[str]:
    """Bring the ledger in line with the landing; returns warnings.

    A part that looks as it was left is taken for whole, unless `thoroughly`.
    Where a part is not the one that the ledger knows, the inputs behind it are
    forgotten: they may have held more.
    """
    ledger, root = landing.ledger, landing.root
    found = scan_landing(root.landing)
    warnings = odd_names(root, found)
    warnings += [_set_aside(landing, name, files.NO_FILE) for name in found.in_the_way]
    known = {part[:3]: part[3:5] for part in ledger.part_stats()}
    others: set[tuple[str, str]] = set()
    rotten: set[tuple[str, str]] = set()
    unknown: dict[tuple[str, str], list[str]] = {}
    for source, day, part, file_stat in found.parts:
        shown = (file_stat.st_size, file_stat.st_mtime_ns)
        is_as_left = known.pop((source, day, part), None) == shown
        if is_as_left and not thoroughly:
            continue
        held = ledger.part(source, day, part)
        path = landing.path(source, day, part)
        content, recheck_on = None, ahead.NEVER
        try:
            checksum = files.checksum(path)
            if held and held.checksum == checksum:
                if not is_as_left:
                    ledger.put_part(replace(held, mtime_ns=file_stat.st_mtime_ns))
                continue
            # What nobody has written and is another is damaged, whatever it says.
            if not is_as_left:
                content = read_content(landing, source, day, part)
                with gzip.open(path) as text:
                    is_csv = source in CSV_SOURCES
                    recheck_on = ahead.first_day(cast(BinaryIO, text), day, is_csv)
        except OSError as error:
            if not files.is_damage(error):
                raise
        except (*DAMAGED, KeyError, TypeError, AttributeError, csv.Error):
            pass
        others.add((source, day))
        if content is None:
            if is_as_left:  # something may have been made from it unseen
                rotten.add((source, day))
            below = f"{source}/day={day}/{part}"
            warnings.append(_set_aside(landing, below, "damaged"))
            ledger.forget_part(source, day, part)
            continue
        ledger.put_part(
            Part(
                source,
                day,
                part,
                file_stat.st_size,
                file_stat.st_mtime_ns,
                checksum,
                content.fingerprint,
                content.parser,
                content.counts,
                content.source_bytes,
                content.dropped,
                content.span,
                list(content.keys),
                recheck_on,
            )
        )
        unknown.setdefault((source, day), []).append(part)
        if SOURCES[source].identity is Identity.NAME:
            ledger.doubt(day)
    for (source, day), parts in unknown.items():
        if source in GROWING:
            for part in copied_parts(landing, source, day, parts):
                below = f"{source}/day={day}/{part}"
                warnings.append(_set_aside(landing, below, A_COPY))
                ledger.forget_part(source, day, part)
    if thoroughly:
        warnings += _check_superseded(landing, found, others)
    for source, day, part in known:
        ledger.forget_part(source, day, part)
        others.add((source, day))
    if known:
        warnings.append(
            f"{len(known)} landing file(s) are gone; their inputs are read again "
            "where they still exist"
        )
    if others:
        ledger.forget_inputs_behind(others)
    for source, day in sorted(others):
        mark = sum_of(held.fingerprint for held in ledger.parts_of(source, day))
        ledger.note_break(source, day, Break(mark, (source, day) in rotten))
    return warnings


def _check_superseded(
    landing: Landing, found: Found, others: set[tuple[str, str]]
) -> list[str]:
    """Set damaged old versions aside; no run knows more of them than that they lie
    there. What may be behind them is added to `others`."""
    warnings = []
    top = landing.root.landing
    for source, day, _, path in found.superseded:
        try:
            is_whole = is_readable(path)
        except OSError as error:
            if not files.is_damage(error):
                raise
            is_whole = False
        if not is_whole:
            others.add((source, day))
            below = path.relative_to(top).as_posix()
            warnings.append(_set_aside(landing, below, "damaged"))
    return warnings


def odd_names(root: Root, found: Found) -> list[str]:
    """A warning about what lies in the landing and is not ours, if anything does."""
    if not found.odd:
        return []
    named = ", ".join(found.odd[:MOST_NAMED])
    more = len(found.odd) - MOST_NAMED
    return [
        f"{root.relative(root.landing)}: not the project's, and never read: {named}"
        f"{f' and {more} more' if more > 0 else ''}: move it away"
    ]


def _set_aside(landing: Landing, below: str, why: str) -> str:
    path = landing.root.landing / below
    said = [f"{landing.root.relative(path)}: {why}"]
    if not landing.dry_run:
        said.append(f"set aside as {files.set_aside(path).name}")
    if below != MANIFEST:
        said.append("its inputs are read again where they still exist")
    return "; ".join(said)


def read_content(landing: Landing, source: str, day: str, part: str) -> Content:
    """What a part on disk holds. Raises one of DAMAGED, KeyError, TypeError."""
    path = landing.path(source, day, part)
    if path.stat().st_size == 0:
        raise EOFError  # to gzip, nothing is a whole file
    if source in CSV_SOURCES:
        with path.open("rb") as stream:
            size = read_origin(stream).size or text_length(stream)
        with gzip.open(path, "rt", encoding="utf-8", newline="") as text:
            return content_of_csv(source, text, size, file_of_part(part))
    records = parse_records(files.read(path))
    if any(record.get("day", day) != day for record in records):
        raise ValueError("a copy of another day")
    return content_of_records(source, records)


@dataclass(frozen=True)
class Unsound:
    """A part that is not what the ledger says, and how so."""

    source: str
    day: str
    problem: str


def unsound_parts(
    root: Root,
    ledger: Ledger,
    days: Collection[str] | None = None,
    found: Found | None = None,
) -> list[Unsound]:
    """Parts that are missing, damaged or not known: of some days, or of all that
    were `found`.

    Every byte is read, so that nothing is published from a damaged part.
    """
    landing = root.landing
    if found is None:
        found = scan_landing(landing) if days is None else scan_days(landing, days)
    present = {(source, day, part) for source, day, part, _ in found.parts}
    problems = []
    for source, day, part, _, _, checksum in ledger.part_stats():
        if days is not None and day not in days:
            continue
        problem = "missing from the landing"
        if (source, day, part) in present:
            present.remove((source, day, part))
            if _adds_up(f"{landing}/{source}/day={day}/{part}", checksum):
                continue
            problem = "damaged landing file"
        problems.append((source, day, part, problem))
    problems += [(*part, "not known to the ledger") for part in sorted(present)]
    shown = root.relative(landing)
    return [
        Unsound(source, day, f"{shown}/{source}/day={day}/{part}: {problem}")
        for source, day, part, problem in problems
    ]


def _adds_up(path: str, checksum: int) -> bool:
    try:
        return files.checksum(path) == checksum
    except OSError:
        return False


ROW = re.compile(r"[a-z_]+,[0-9]{4}-[0-9]{2}-[0-9]{2},[a-z_]*,[0-9]+,[0-9a-f]{32}")


def check_manifest(root: Root, ledger: Ledger) -> tuple[list[str], list[str]]:
    """(errors, warnings) about `landed_days.csv`, held against the ledger."""
    path = root.landing / MANIFEST
    shown = root.relative(path)
    try:
        data = files.read(path)
    except FileNotFoundError:
        is_due = bool(landed_days(ledger))
        return [f"{shown}: missing from the landing"] * is_due, []
    except OSError as error:
        return [f"{shown}: cannot be read ({error.strerror})"], []
    wanted = manifest(ledger)
    if data == wanted.encode():
        return [], []
    head, *rows = data.decode(errors="replace").split("\n")
    if head != wanted.split("\n")[0] or rows.pop() or not all(map(ROW.fullmatch, rows)):
        return [f"{shown}: damaged"], []
    return [], [f"{shown}: older than the landing; the next export writes it again"]
