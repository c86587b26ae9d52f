"""Identity in landing: when two records are the same one, and which counts.

Pure functions over landed records (dictionaries as they stand in NDJSON).
Reading an input again, live or from a bundle, changes nothing here.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from itertools import zip_longest
from typing import NamedTuple

from ingest.store.digests import digest
from ingest.store.part_files import Json
from ingest.text.times import TOO_FAR_AHEAD

REPLACED = "a newer heartbeat has this name"
TWIN = "a heartbeat in JSON has this name"
# For what another content says, and not for what it says itself.
YIELDING = (REPLACED, TWIN)


# Stands before the name of a heartbeat that is unproven, and sorts behind all.
UNPROVEN = "~"

# What a write that broke off may leave behind its last character.
TORN = "\ufffd \t\r\n"


def merge_heartbeats(
    records: Iterable[Json], read_again: Callable[[Json], Json]
) -> list[Json]:
    """Of each name the newest counts; another content is a reject.

    So is one in Markdown whose name, but for its end, has one in JSON that can be
    read.

    A content that another one merely continues was a half-written heartbeat:
    all of it stands in the other, so it is not kept, however new it is; nor is
    one that is unproven where another is not. A reject that counts after all
    is taken apart by `read_again`.
    """
    versions: dict[str, dict[str, Json]] = {}
    for record in records:
        same = versions.setdefault(record["filename"], {})
        text = text_of(record)
        before = same.get(text)
        same[text] = one_reading(before, record) if before else record
    merged: list[Json] = []
    for same in versions.values():
        if len(same) == 1:
            merged += same.values()
            continue
        proven = {raw: r for raw, r in same.items() if not r.get("unproven")}
        whole = without_beginnings(proven or same)
        # Within a second the longest, then any, but the same in any order.
        newest = max(whole, key=lambda r: (abs(r["modified"]), len(r["raw"]), r["raw"]))
        for record in whole:
            if record is not newest:
                record = {**record, "problem": REPLACED, "check_groups": []}
            elif record["problem"] == REPLACED:
                record = read_again(record)
            merged.append(record)
    return sorted(_without_twins(merged, read_again), key=heartbeat_order)


def _without_twins(
    records: list[Json], read_again: Callable[[Json], Json]
) -> Iterator[Json]:
    said = {r["filename"] for r in records if not r["problem"]}
    for record in records:
        if twin_of(record["filename"]) in said and record["filename"].endswith(".md"):
            if record["problem"] is None:
                record = {**record, "problem": TWIN, "check_groups": []}
        elif record["problem"] == TWIN:
            record = read_again(record)
        yield record


def twin_of(filename: str) -> str:
    """The name that a heartbeat has in the other of its two forms."""
    stem, _, end = filename.rpartition(".")
    return f"{stem}.{'md' if end == 'json' else 'json'}"


def heartbeat_order(record: Json) -> tuple[str, str]:
    """The order of heartbeats in the landing."""
    return record["filename"], record["raw"]


def one_reading(before: Json, again: Json) -> Json:
    """Two readings of one name and content: it is as new as the newer of them.

    A moment of reading, told by its minus sign, stays what it was, and what is
    unproven says nothing beside what is proven.
    """
    if before.get("unproven") != again.get("unproven"):
        return again if before.get("unproven") else before
    modified = max(before["modified"], again["modified"])
    if before["modified"] < 0:
        modified = before["modified"]
    kept = again if before["problem"] in YIELDING else before
    return kept if kept["modified"] == modified else {**kept, "modified": modified}


def without_beginnings(versions: Mapping[str, Json]) -> list[Json]:
    """The records whose text is not merely the beginning of another's."""
    # What a text begins stands next behind it.
    ordered = sorted((raw.rstrip(TORN), len(raw), raw) for raw in versions)
    following = [written for written, _, _ in ordered[1:]]
    return [
        versions[raw]
        for (written, _, raw), after in zip_longest(ordered, following)
        if after is None or not after.startswith(written)
    ]


def text_of(record: Json) -> str:
    """The text by which a record is known: that which is landed, but masked by
    the rules that are switched off, too."""
    return str(record.get("known_as") or record["raw"])


def text_mark(text: str) -> bytes:
    """Stands for a line's text where very many of them are counted."""
    return hashlib.sha256(text.encode()).digest()[:12]


def number_equal_lines(records: Iterable[Json], seen: Counter[bytes]) -> list[Json]:
    """Give each line its ordinal among the equal lines of one file.

    `seen` counts the lines before these by their marks, and goes on counting.
    """
    numbered = []
    for record in records:
        mark = text_mark(text_of(record))
        seen[mark] += 1
        numbered.append({**record, "ordinal": seen[mark]})
    return numbered


def line_identity(record: Json) -> str:
    """A line by file, text and ordinal."""
    pieces = (record["source_file"], text_of(record), str(record["ordinal"]))
    return digest(pieces)[:16]


def line_key(record: Json) -> str:
    """An untimed line's identity; that of one that was cut off, with its number:
    whoever reads all of it looks for it there."""
    mark = line_identity(record)
    return f"{mark} {record['line_number']}" if record.get("cut") else mark


def goes_on(whole: Json, cut: Json) -> bool:
    """Whether a line is another one that was cut off, and more of it."""
    begun = str(cut["raw"]).rstrip(TORN)
    return (
        whole["source_file"] == cut["source_file"]
        and whole["line_number"] == cut["line_number"]
        and len(whole["raw"]) > len(begun)
        and whole["raw"].startswith(begun)
    )


def line_order(record: Json) -> tuple[str, int, str, int]:
    """The order of lines in the landing."""
    return (
        record["source_file"], record["line_number"], record["raw"], record["ordinal"]
    )  # fmt: skip


def merge_reports(
    records: Iterable[Json], is_forced: bool = False
) -> tuple[list[Json], list[Json]]:
    """(reports that count, other ones of their time stamps).

    A report is known by its time stamp, one without by its content. The one with
    most in it counts, so that none shrinks, and of as much the newest; where
    `is_forced` the newest, and nothing that is older ever again.
    """
    merged: dict[str, Json] = {}
    others = []
    for record in records:
        key = record["at"] if record["has_timestamp"] else report_key(record)
        before = merged.setdefault(key, record)
        if before is record:
            continue
        if report_key(before) == report_key(record):
            merged[key] = _one_report(before, record)
            continue
        problems = {before["problem"], record["problem"]}
        is_as_old = min(record["modified"], before["modified"]) < 0 or (
            record["modified"] == before["modified"]
        )
        if TOO_FAR_AHEAD in problems and is_as_old:
            continue  # what was true when it was landed stays true
        merged[key], other = _which_report(before, record, is_forced)
        others.append(other)
    counting = sorted(merged.values(), key=lambda r: (r["at"] or "", content_of(r)))
    return counting, others


def _one_report(before: Json, again: Json) -> Json:
    """Two readings of one report; a moment of reading stays what it was. Of two
    folders that of the newest reading counts, and of equal ones always the same."""
    source_file = min(before, again, key=_rank_of_folder)["source_file"]
    if not before["has_timestamp"]:
        first = min(before, again, key=lambda r: str(r["at"]))
        return {**first, "source_file": source_file}
    newer = max(before["modified"], again["modified"])
    modified = before["modified"] if before["modified"] < 0 else newer
    kept = {**before, "modified": modified, "source_file": source_file}
    return kept | _chosen(before, again)


def _rank_of_folder(report: Json) -> tuple[bool, int, bool, str]:
    """Which of two readings says better where a report lay: the smaller one."""
    name = report["source_file"]
    # Without its folder it was landed once.
    return bool(report.get("unproven")), -report_age(report), "/" not in name, name


def _which_report(one: Json, other: Json, is_forced: bool) -> tuple[Json, Json]:
    """Of two reports of one time stamp the one that counts, and the other."""
    chosen = _chosen(one, other)
    since = chosen.get("chosen_since", 0)
    age = (report_age(one), digest([content_of(one)])), (
        report_age(other), digest([content_of(other)])
    )  # fmt: skip
    older, newer = (one, other) if age[0] < age[1] else (other, one)
    if _size(older) <= _size(newer) or report_age(older) < since:
        return newer | chosen, older
    if is_forced and report_age(newer) > report_age(older):
        return newer | {"chosen_since": report_age(newer)}, older
    return older | chosen, newer


def report_age(report: Json) -> int:
    """When a report was written, in epoch seconds: the newer, the more."""
    return abs(int(report["modified"]))


def _size(report: Json) -> tuple[bool, int, int]:
    is_usable = report["problem"] is None
    return is_usable, report["recommendations"], report["slow_queries"]


def _chosen(one: Json, other: Json) -> Json:
    """Since when nothing older counts, because --force chose, if it did."""
    since = max(one.get("chosen_since", 0), other.get("chosen_since", 0))
    return {"chosen_since": since} if since else {}


def content_of(report: Json) -> str:
    """The text of a report, whether it could be read or not."""
    return str(report.get("report") or report["raw"] or "")


class SummaryVersion(NamedTuple):
    """A content of a summary on one night (YYYY-MM-DD).

    That of the date in the file's name, `dated`, or of its modification time,
    `undated`, or else that on which it was first `read`.
    """

    content: str
    night: str
    kind: str

    def __str__(self) -> str:
        return " ".join(self)

    @classmethod
    def of(cls, text: str, day: str) -> SummaryVersion:
        """From its text, landed under a day; once a content stood alone in it."""
        content, night, kind = [*text.split(" "), day, "read"][:3]
        return cls(content, night, kind)

    def is_copy_of(self, other: SummaryVersion) -> bool:
        """Whether it says no night that is not said better: by a dated one at most
        a day apart, or, where one of two was only read, by the other."""
        if self.content != other.content or self.kind == "dated" or self == other:
            return False
        if other.kind == "dated":
            nights = map(date.fromisoformat, (self.night, other.night))
            return abs((next(nights) - next(nights)).days) <= 1 or self.kind == "read"
        return "read" in (self.kind, other.kind)


def summary_content(marks: Iterable[bytes]) -> str:
    """What the content of a summary is known by, given its lines' `text_mark`."""
    return digest(mark.hex() for mark in marks)[:16]


def merge_summaries(records: Iterable[Json]) -> list[Json]:
    """Each line of each version once; of two copies always the same one."""
    merged: dict[tuple[str, int, int], Json] = {}
    for record in sorted(records, key=summary_rank):
        merged.setdefault(summary_identity(record), record)
    return [merged[key] for key in sorted(merged)]


def summary_rank(record: Json) -> tuple[str, str]:
    """What tells two copies of one version apart."""
    return record["source_file"], record["at"] or ""


def summary_identity(record: Json) -> tuple[str, int, int]:
    """A summary's record by version, line and place in the line."""
    return record["version"], record["line_number"], record["place"]


def merge_columns(old: Iterable[Json], new: Iterable[Json]) -> list[Json]:
    """Every name once; a file that is replaced as a whole forgets its old ones."""
    fresh = list(new)
    replaced = {r["source_file"] for r in fresh if r["is_whole"]}
    kept = [r for r in old if r["source_file"] not in replaced]
    names = {(r["source"], r["source_file"], r["name"]) for r in [*kept, *fresh]}
    return [
        {"source": source, "source_file": file, "name": name}
        for source, file, name in sorted(names)
    ]


def report_key(report: Json) -> str:
    """What a report without a time stamp is known by."""
    return digest([report.get("known_as") or content_of(report)])[:16]
