"""Lengths of time and shares as people say them."""

from __future__ import annotations

import math


def time_span(seconds: float) -> str:
    """A length of time in its two largest units: `2 h 5 min`."""
    whole = round(max(seconds, 0))
    if whole < 60:
        return f"{whole} s"
    minutes = whole // 60
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    days, hours = divmod(hours, 24)
    return f"{days:,} d {hours} h" if hours and days < 10 else f"{days:,} d"


def percent(share: float | None, digits: int = 2) -> str:
    """A share in percent, cut off: never 100 where something is missing."""
    if share is None:
        return "–"
    return f"{math.floor(share * 100 * 10**digits) / 10**digits:.{digits}f}%"
