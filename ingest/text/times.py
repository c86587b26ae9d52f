"""Times as text: what counts as a time, and which times cannot be true.

All datetimes in this package are naive and mean UTC.
"""

import re
from datetime import datetime, timedelta

FIRST_YEAR = 2000
MAX_AHEAD = timedelta(days=1)

BEFORE_2000 = "dated before 2000"
TOO_FAR_AHEAD = "dated more than a day ahead"

# [0-9], not \d: other scripts' digits are not digits to SQL either.
_TIME = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})"
    r"(?:[T ]([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:\.([0-9]+))?)?"
    r"(Z|([+-])([0-9]{2})(?::?([0-9]{2}))?)?)?"
)


def parse_time(text: str) -> datetime | None:
    """The UTC time that `text` says, exact to the microsecond, else None.

    Understood: `YYYY-MM-DD`, optionally followed by `T` or a space, `HH:MM`,
    `:SS`, a fraction, and `Z`, `±HH`, `±HHMM` or `±HH:MM`. Without an offset
    the time is UTC. More than six significant fraction digits, hour 24,
    second 60, offsets of 24 hours and more, and impossible dates are no time.
    """
    match = _TIME.fullmatch(text)
    if match is None:
        return None
    year, month, day, hour, minute, second, fraction, zone, sign, zone_h, zone_m = (
        match.groups()
    )
    microsecond = 0
    if fraction:
        if len(fraction) > 6:
            fraction, rest = fraction[:6], fraction[6:]
            if rest.strip("0"):
                return None
        microsecond = int(fraction.ljust(6, "0"))
    try:
        at = datetime(
            int(year),
            int(month),
            int(day),
            int(hour or 0),
            int(minute or 0),
            int(second or 0),
            microsecond,
        )
        if zone is None or zone == "Z":
            return at
        hours, minutes = int(zone_h), int(zone_m or 0)
        if hours > 23 or minutes > 59:
            return None
        offset = timedelta(hours=hours, minutes=minutes)
        return at - offset if sign == "+" else at + offset
    except (ValueError, OverflowError):
        return None


def utc_text(at: datetime) -> str:
    """`YYYY-MM-DD HH:MM:SS.ffffff`, the form in which landing keeps times."""
    return at.isoformat(" ", "microseconds")


def date_problem(at: datetime, now: datetime) -> str | None:
    """Why a record of this time is a reject, or None. `now` is UTC."""
    if at.year < FIRST_YEAR:
        return BEFORE_2000
    # A difference cannot overflow, a sum near the year 9999 can.
    if at - now > MAX_AHEAD:
        return TOO_FAR_AHEAD
    return None


def believable(modified: datetime, now: datetime) -> datetime:
    """A file's modification time, or `now` where no record could have it."""
    return now if date_problem(modified, now) else modified
