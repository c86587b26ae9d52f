"""When an agent starts: times of the machine's clock, as text and as launchd has it.

Calendar times only: launchd's StartInterval does not keep its beat.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)", re.ASCII)
INTERVAL = re.compile(r"(\d+)m?", re.ASCII)


class ClockTime(NamedTuple):
    """A time of day in the machine's zone; without an hour, of every hour."""

    hour: int | None
    minute: int


# Not empty, sorted, each once.
Schedule = tuple[ClockTime, ...]


def daily(text: str) -> Schedule:
    """Every day at HH:MM. Raises ValueError."""
    found = CLOCK.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is not a time of day such as 02:30")
    return (ClockTime(int(found[1]), int(found[2])),)


def every(text: str) -> Schedule:
    """At fixed minutes of every hour, such as `10m`. Raises ValueError."""
    found = INTERVAL.fullmatch(text)
    minutes = int(found[1]) if found else 0
    if not 5 <= minutes <= 60 or 60 % minutes:
        raise ValueError(
            f"{text!r} is none of 5m, 6m, 10m, 12m, 15m, 20m, 30m, 60m: "
            "the minutes must part an hour evenly"
        )
    return tuple(ClockTime(None, minute) for minute in range(0, 60, minutes))


def hourly(minute: int) -> Schedule:
    """At a minute of every hour."""
    return (ClockTime(None, minute),)


def as_text(schedule: Iterable[ClockTime]) -> str:
    """`02:30`, or `*:00,10,20` for minutes of every hour."""
    times = list(schedule)
    hourly = [f"{at.minute:02}" for at in times if at.hour is None]
    shown = [f"{at.hour:02}:{at.minute:02}" for at in times if at.hour is not None]
    if hourly:
        shown.append(f"*:{','.join(hourly)}")
    return ", ".join(shown)


def as_intervals(schedule: Schedule) -> Any:
    """The value of StartCalendarInterval: one time, or an array of them."""
    times = [
        {"Minute": at.minute}
        if at.hour is None
        else {"Hour": at.hour, "Minute": at.minute}
        for at in schedule
    ]
    return times[0] if len(times) == 1 else times


def from_intervals(value: Any) -> Schedule:
    """The schedule that `as_intervals` wrote. Raises KeyError or TypeError."""
    entries: list[Mapping[str, int]] = value if isinstance(value, list) else [value]
    return normal(ClockTime(at.get("Hour"), int(at["Minute"])) for at in entries)


def normal(times: Iterable[ClockTime]) -> Schedule:
    """Times in their order, each once."""
    return tuple(sorted(set(times), key=lambda at: (at.hour or 0, at.minute)))


def last_start(schedule: Schedule, now: datetime) -> datetime:
    """The last start that was due by `now`, both on the machine's clock."""
    starts = []
    for at in schedule:
        step = timedelta(hours=1) if at.hour is None else timedelta(days=1)
        hour = now.hour if at.hour is None else at.hour
        start = now.replace(hour=hour, minute=at.minute, second=0, microsecond=0)
        starts.append(start if start <= now else start - step)
    return max(starts)


def next_start(schedule: Schedule, now: datetime) -> datetime:
    """The first start after `now`, both on the machine's clock."""
    starts = []
    for at in schedule:
        if at.hour is None:
            start = now.replace(minute=at.minute, second=0, microsecond=0)
            step = timedelta(hours=1)
        else:
            start = now.replace(hour=at.hour, minute=at.minute, second=0, microsecond=0)
            step = timedelta(days=1)
        starts.append(start if start > now else start + step)
    return min(starts)
