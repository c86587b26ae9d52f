"""Versions of a dated file: which of all contents counts.

Each distinct content is kept. The one with most records counts, so that no file
shrinks, and of as many the newest; but never the mere beginning of another,
and nothing that is older than a content that was chosen by --force.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import zip_longest
from typing import BinaryIO, NamedTuple

from ingest.registry import SOURCES
from ingest.store.contents import Content
from ingest.store.merge import TORN
from ingest.store.part_files import Origin
from ingest.text.clean import MAX_CELL_CHARS
from ingest.text.times import TOO_FAR_AHEAD

# Notes of a part's origin: its time is the moment of reading; it was chosen; it
# came out of a damaged bundle.
MOMENT, CHOSEN, UNPROVEN = "moment", "chosen", "unproven"
# Of the cells of a landed row those that say about it, the last two of them.
ABOUT_CELLS, PROBLEM, RAW = 5, -2, -1


class Claim(NamedTuple):
    """What speaks for a content, the weightiest first.

    Within a second the longest: it was half-written when first seen. A tie is
    broken by content, so that the order of reading is no matter.
    """

    is_usable: bool
    records: int
    modified: int
    length: int
    fingerprint: str


@dataclass(frozen=True)
class Version:
    """A content of a dated file; `text` is what its landing part holds."""

    source: str
    day: str
    part: str
    text: BinaryIO
    content: Content
    origin: Origin
    length: int

    @property
    def dataset(self) -> str:
        return SOURCES[self.source].dataset

    @property
    def records(self) -> int:
        return self.content.counts[self.dataset]

    @property
    def is_unproven(self) -> bool:
        return UNPROVEN in self.origin.notes

    @property
    def claim(self) -> Claim:
        # Rejects and nothing else are no new version of what can be used.
        is_usable = not all(record[PROBLEM] for record in _records(self.text))
        return Claim(
            is_usable or not self.records,
            self.records,
            self.origin.modified,
            self.length,
            self.content.fingerprint,
        )


def is_same(one: Version, other: Version) -> bool:
    return (one.source, one.content.fingerprint) == (
        other.source, other.content.fingerprint
    )  # fmt: skip


def is_newer(one: Version, other: Version) -> bool:
    return one.origin.modified > other.origin.modified


def which_counts(current: Version, others: Iterable[Version]) -> Version:
    """Of all known contents of a file the one that counts.

    Asked of all at once: of three, each may have something over the next.
    """
    known = [current, *others]
    known = [v for v in known if v.is_unproven == current.is_unproven]
    if CHOSEN in current.origin.notes:
        known = [v for v in known if v is current or is_newer(v, current)]
    claims = [version.claim for version in known]
    is_usable = max(claims).is_usable
    ranked = [
        version
        for claim, version in sorted(
            zip(claims, known, strict=True), key=lambda pair: pair[0], reverse=True
        )
        if claim.is_usable == is_usable
    ]
    return next(
        v for v in ranked if not any(_is_more(o, v) for o in ranked if o is not v)
    )


def _is_more(one: Version, other: Version) -> bool:
    """Whether a content goes on where another ends."""
    return begins(other, one) and not begins(one, other)


def begins(one: Version, other: Version) -> bool:
    """Whether a content is merely the beginning of another, or nothing.

    Line by line, and the last one may have been cut anywhere.
    """
    if one.records > other.records:
        return False
    if one.records and one.source != other.source:
        return False
    last: list[str] | None = None
    its: list[str] = []
    for ours, theirs in zip(_records(one.text), _records(other.text), strict=False):
        if last is not None and last != its:
            return False
        last, its = ours, theirs
    if last is None:
        return True
    begun = _written(last).rstrip(f"{TORN},")
    return last == its or _written(its).startswith(begun)


def _written(record: list[str]) -> str:
    """A record as it stood in its file, or with more commas behind it."""
    return record[RAW] or ",".join(record[:-ABOUT_CELLS])


def is_same_input(new: Version, current: Version) -> bool:
    """Whether two versions differ in nothing but what was too far ahead when
    they were landed: what was true when it was landed stays true."""
    is_as_old = MOMENT in new.origin.notes | current.origin.notes or (
        new.origin.modified == current.origin.modified
    )
    if new.source != current.source or not is_as_old:
        return False
    nothing: list[str] = []
    for one, other in zip_longest(
        _records(current.text), _records(new.text), fillvalue=nothing
    ):
        if one != other:
            if {*one[PROBLEM:RAW], *other[PROBLEM:RAW]} != {"", TOO_FAR_AHEAD}:
                return False
            if (one[:PROBLEM], one[RAW:]) != (other[:PROBLEM], other[RAW:]):
                return False
    return True


def _records(text: BinaryIO) -> Iterator[list[str]]:
    """The landed records of a version, without the names of their columns."""
    csv.field_size_limit(MAX_CELL_CHARS)
    text.seek(0)
    rows = csv.reader(map(bytes.decode, text))
    next(rows, None)
    return rows
