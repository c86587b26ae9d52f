"""Fingerprints of texts, of records, and of many fingerprints together."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable


def digest(pieces: Iterable[str]) -> str:
    """A fingerprint of texts, none of which can run into the next."""
    made = hashlib.sha256()
    for piece in pieces:
        data = piece.encode()
        made.update(b"%d:" % len(data))
        made.update(data)
    return made.hexdigest()[:32]


def digest_of_all(records: Iterable[Iterable[str]]) -> str:
    """A fingerprint of records, whatever their order, given their texts."""
    return sum_of(map(digest, records))


def sum_of(fingerprints: Iterable[str]) -> str:
    """The fingerprint of all the records that some fingerprints stand for.

    How they were parted, and in which order they came, is no matter.
    """
    return f"{sum(int(one, 16) for one in fingerprints) % (1 << 128):032x}"
