"""What all parts of a synthetic day share: its chance, its clock, its load."""

from __future__ import annotations

import random
from datetime import date
from typing import NamedTuple

DAY_SECONDS = 86_400
EPOCH = date(1970, 1, 1)


class Input(NamedTuple):
    """A file under the root: its relative path, when it was written, its bytes."""

    path: str
    mtime: int
    data: bytes


def chance(seed: int, day: date | None, part: str) -> random.Random:
    """The generator of one part of one day; of all days, without a day.

    Seeded by a text, which Python hashes the same way in every process.
    """
    return random.Random(f"{seed}:{day.isoformat() if day else 'always'}:{part}")


def midnight(day: date) -> int:
    """The UTC start of a day, in epoch seconds."""
    return (day - EPOCH).days * DAY_SECONDS


def clock(second: int, colon: str = ":") -> str:
    """`HH:MM:SS` of a second of the day."""
    return f"{second // 3600:02}{colon}{second // 60 % 60:02}{colon}{second % 60:02}"


def slowness(seed: int, day: date) -> list[float]:
    """By how much each hour of a day is slower than usual (1 is as usual)."""
    draw = chance(seed, day, "slowness")
    factors = [1.0] * 24
    for hour in range(24):
        slow, by = draw.random() < 0.02, 3 + 6 * draw.random()
        if slow:
            factors[hour] = by
    factors[4] *= 1.8  # backups
    return factors
