"""What is planted in every sixty days of a synthetic root, at known times.

Days are numbered from the root's first, 0. Chance has no part in it: who looks
for trouble knows what is to be found. The first week has none.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from exporter.sample.days import DAY_SECONDS

CYCLE = 60
HOUR = 3600

# Nights whose advice is found in a bundle; later ones are overwritten.
ADVICE_NIGHTS = (20, 34, 46)
# Days whose patterns were written as JSON, too.
PATTERN_DAYS = (20, 34, 53, 57)
# Days whose CSV has a column that nobody knows.
DRIFT_DAYS = (47, 48, 49)
# A day with so many query times that are none, and one with a heartbeat that
# says nothing of its status.
UNREADABLE_DAY, UNREADABLE_ROWS = 50, 5
SILENT_DAY, SILENT_BEAT = 51, 144

GROWTH_FROM, GROWTH_PER_DAY = 14, 0.006


class Failure(NamedTuple):
    """A check that fails from a second of a day on, maybe into the next day.

    Where it `flaps` it fails at every other heartbeat.
    """

    day: int
    check: str
    begins: int
    ends: int
    flaps: bool = False


class Slowdown(NamedTuple):
    """By how much one of the scans is slower on some days, the last included."""

    first: int
    last: int
    scan: int
    factor: float


HOURS_DOWN = Failure(8, "redis", 2 * HOUR, 5 * HOUR)
FLAPPING = Failure(37, "redis", 13 * HOUR, 16 * HOUR, flaps=True)
WARNING = Failure(44, "optimizer", 8 * HOUR, 32 * HOUR)
LAST_NIGHT = Failure(59, "redis", 3 * HOUR // 2, 9 * HOUR // 2)
# When the sixty days end it is still so.
DOWN_AT_THE_END = Failure(59, "database", 22 * HOUR, 25 * HOUR)
FAILURES = (HOURS_DOWN, FLAPPING, WARNING, LAST_NIGHT, DOWN_AT_THE_END)
# The monitor itself says nothing for a while.
GAP = Failure(30, "monitor", 3 * HOUR, 9 * HOUR)

REGRESSION = Slowdown(53, 59, 0, 3.0)
# Of a scan that lacks its index, and gets it.
WITHOUT_INDEX = Slowdown(14, 40, 1, 4.0)
WITH_INDEX = Slowdown(41, 59, 1, 0.2)
SLOWDOWNS = (REGRESSION, WITHOUT_INDEX, WITH_INDEX)


def failures(day: int) -> Iterator[Failure]:
    """Those of a day, with its seconds; one from the day before is carried over."""
    for failure in (*FAILURES, GAP):
        begun = day - failure.day
        if begun >= 0 and begun % CYCLE == 0:
            yield failure
        elif begun > 0 and begun % CYCLE == 1 and failure.ends > DAY_SECONDS:
            yield failure._replace(
                begins=failure.begins - DAY_SECONDS, ends=failure.ends - DAY_SECONDS
            )


def slowdown(day: int, scan: int) -> float:
    """By how much the n-th scan is slower than usual."""
    for planted in SLOWDOWNS:
        if planted.scan == scan and planted.first <= day % CYCLE <= planted.last:
            return planted.factor
    return 1.0


def growth(day: int) -> float:
    """By how much more is asked than in the first days."""
    return 1 + GROWTH_PER_DAY * max(day % CYCLE - GROWTH_FROM, 0)
