"""Taking stock of the landing: the ledger is held against what lies on disk.

What is missing or damaged is forgotten, so that it is read again where the
input still exists; what the ledger does not know (a run was killed, the
ledger was lost) is read from the landing itself.
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
from dataclasses import replace
from pathlib import Path

from ingest import files
from ingest.identity import (
    columns_content,
    heartbeats_content,
    lines_content,
    reports_content,
    summaries_content,
)
from ingest.landing import (
    CSV_SOURCES,
    DAMAGED,
    MANIFEST,
    Content,
    Json,
    Landing,
    landed_days,
    manifest,
)
from ingest.ledger import Ledger, Part
from ingest.root import Root
from ingest.text import MAX_CELL_CHARS

BUNDLES = "bundles"
# Cells of a landed CSV row that say about it and were not in its input.
ABOUT_CELLS = 5


def content_of_records(source: str, records: list[Json], parser: str = "") -> Content:
    """What the ledger says of an NDJSON part."""
    if source == "heartbeats":
        return heartbeats_content(records, parser)
    if source == "index_advisor":
        return reports_content(records)
    if source == "optimization_summary":
        return summaries_content(records)
    if source == "observed_columns":
        return columns_content(records)
    dataset = "query_perf" if source == "query_log" else "optimization_summary"
    return lines_content(records, dataset)


def content_of_csv(source: str, text: io.TextIOBase) -> Content:
    """What the ledger says of a CSV part, from its landing text."""
    csv.field_size_limit(MAX_CELL_CHARS)
    hashed = _Hashing(text)
    reader = csv.reader(hashed)
    next(reader, None)
    rows = size = 0
    for row in reader:
        rows += 1
        size += len(_written(row).encode()) + 1
    dataset = "query_perf" if source == "query_rows" else source
    return Content(hashed.fingerprint(), {dataset: rows}, size)


def _written(row: list[str]) -> str:
    """A landed row as it stood in its input, or nearly so."""
    raw = row[-1]
    return raw or ",".join(row[:-ABOUT_CELLS]).rstrip(",")


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


def take_stock(landing: Landing, thoroughly: bool = False) -> list[str]:
    """Bring the ledger in line with the landing; returns warnings.

    A part that looks as it was left is taken for whole, unless `thoroughly`.
    """
    ledger, root = landing.ledger, landing.root
    known = {look[:3]: look[3:5] for look in ledger.looks()}
    warnings: list[str] = []
    lost: set[str] = set()
    for source, day, part, look in landing.on_disk():
        entry = known.pop((source, day, part), None)
        if entry == (look.st_size, look.st_mtime_ns) and not thoroughly:
            continue
        path = landing.path(source, day, part)
        held = ledger.part(source, day, part) if entry else None
        if held and held.checksum == files.checksum(path):
            if held.mtime_ns != look.st_mtime_ns:
                ledger.put_part(replace(held, mtime_ns=look.st_mtime_ns))
            continue
        try:
            content = read_content(landing, source, day, part)
        except PermissionError:
            raise  # it may be whole
        except (*DAMAGED, KeyError, TypeError, AttributeError, csv.Error):
            shown = root.relative(path)
            warnings.append(f"{shown}: damaged; {_discard(landing, path)}")
            ledger.forget_part(source, day, part)
            lost.add(source)
            continue
        ledger.put_part(
            Part(
                source,
                day,
                part,
                look.st_size,
                look.st_mtime_ns,
                files.checksum(path),
                content.fingerprint,
                content.parser,
                content.counts,
                content.source_bytes,
                content.dropped,
                content.span,
                list(content.keys),
            )
        )
    for source, day, part in known:
        ledger.forget_part(source, day, part)
        lost.add(source)
    if known:
        warnings.append(
            f"{len(known)} landing file(s) are gone; their inputs are read again "
            "where they still exist"
        )
    if lost:
        ledger.forget_sources({BUNDLES, "observed_columns"} | inputs_behind(lost))
    return warnings


def inputs_behind(sources: set[str]) -> set[str]:
    """The kinds of input that land in some sources."""
    if "observed_columns" in sources:
        return {
            "dated", "query_log", "telemetry", "index_advisor", "optimization_summary"
        }  # fmt: skip
    return {"dated" if source in CSV_SOURCES else source for source in sources}


def _discard(landing: Landing, path: Path) -> str:
    landing.lost.add(path)
    remedy = "its inputs are read again where they still exist"
    if landing.dry_run:
        return remedy
    return f"set aside as {files.set_aside(path).name}; {remedy}"


def read_content(landing: Landing, source: str, day: str, part: str) -> Content:
    """What a part on disk holds. Raises one of DAMAGED, KeyError, TypeError."""
    path = landing.path(source, day, part)
    if path.stat().st_size == 0:
        raise EOFError  # to gzip, nothing is a whole file
    if source in CSV_SOURCES:
        with landing.open(path) as stream:
            text = io.TextIOWrapper(stream, encoding="utf-8", newline="")
            return content_of_csv(source, text)
    return content_of_records(source, landing.records(source, day, part))


def check_landing(root: Root, ledger: Ledger) -> list[str]:
    """Landing files whose bytes are not what was written, as messages."""
    problems = []
    landing = str(root.landing)
    shown = root.relative(root.landing)
    for source, day, part, _, _, checksum in ledger.looks():
        path = f"{source}/day={day}/{part}"
        try:
            is_whole = files.checksum(f"{landing}/{path}") == checksum
        except OSError:
            problems.append(f"{shown}/{path}: missing from the landing")
            continue
        if not is_whole:
            problems.append(f"{shown}/{path}: damaged landing file")
    return problems


ROW = re.compile(r"[a-z_]+,[0-9]{4}-[0-9]{2}-[0-9]{2},[a-z_]*,[0-9]+,[0-9a-f]{32}")


def check_manifest(root: Root, ledger: Ledger) -> tuple[list[str], list[str]]:
    """(errors, warnings) about `landed_days.csv`, held against the ledger."""
    path = root.landing / MANIFEST
    shown = root.relative(path)
    try:
        data = path.read_bytes()
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
