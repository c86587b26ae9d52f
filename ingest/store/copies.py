"""Copies of parts: under the next exact name their records would count twice.

A record never moves from part to part, nor stands in two of them. So a part that
no run knows of, and of which every record stands in another, is a copy.
"""

from __future__ import annotations

from collections.abc import Collection

from ingest import files
from ingest.store.landing import Landing
from ingest.store.merge import line_identity, text_of
from ingest.store.part_files import DAMAGED, Json, parse_records, part_number


def copied_parts(
    landing: Landing, source: str, day: str, unknown: Collection[str]
) -> list[str]:
    """Of the unknown parts of a growing day those that are copies."""
    parts = sorted(
        (part.part for part in landing.ledger.parts_of(source, day)),
        key=lambda part: (part in unknown, part_number(part)),
    )
    if len(parts) < 2:
        return []
    found = []
    seen: set[tuple[str, str]] = set()
    for part in parts:
        its = _identities(landing, source, day, part)
        if part in unknown and its <= seen:
            found.append(part)
        seen |= its
    return found


def _identities(
    landing: Landing, source: str, day: str, part: str
) -> set[tuple[str, str]]:
    try:
        records = parse_records(files.read(landing.path(source, day, part)))
    except DAMAGED:
        return set()  # whoever reads it next will find out
    return set(map(_identity, records))


def _identity(record: Json) -> tuple[str, str]:
    if "ordinal" in record:
        return record["source_file"], line_identity(record)
    return record["filename"], text_of(record)
