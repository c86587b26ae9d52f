"""Days that grow: heartbeats and lines land in parts of bounded size.

A day's records go into its last part until that is full, then into another
one. So what one record more costs does not depend on those that are landed;
small days have one part. A record never moves from part to part.
"""

from __future__ import annotations

from collections.abc import Iterable

from ingest.registry import SOURCES, Identity
from ingest.store.landing import Landing
from ingest.store.part_files import Json, part_name, part_number

GROWING = tuple(
    name
    for name, source in SOURCES.items()
    if source.identity in (Identity.NAME, Identity.LINE)
)
# Bytes of text from which on a part takes no more records.
FULL = 2 << 20


def share_out(
    landing: Landing, source: str, day: str, fresh: Iterable[Json]
) -> dict[str, list[Json]]:
    """New records of a day by the name of the part that they are to join.

    The first may be there already, with room for more; the others are new.
    """
    number, size = 1, 0
    if known := landing.ledger.parts_of(source, day):
        number = max(part_number(part.part) for part in known)
        size = landing.length(landing.path(source, day, part_name(source, number)))
    parts: dict[str, list[Json]] = {}
    for record in fresh:
        if size >= FULL:
            number, size = number + 1, 0
        parts.setdefault(part_name(source, number), []).append(record)
        # About what it takes: the other fields repeat what stands in its text.
        size += 2 * len(record["raw"])
    return parts
