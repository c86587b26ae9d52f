"""The time that a report is about, and the time before that it is held against."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta


@dataclass(frozen=True)
class Period:
    """Complete UTC days: from `since` up to, and without, `until`."""

    name: str
    since: date
    until: date

    @property
    def before(self) -> Period:
        """As many days before it."""
        return Period("", self.since - (self.until - self.since), self.since)

    def covers(self, at: date | datetime) -> bool:
        """Whether a day, or a naive UTC time, lies in it."""
        day = at.date() if isinstance(at, datetime) else at
        return self.since <= day < self.until

    @property
    def start(self) -> datetime:
        return datetime.combine(self.since, time())


def day_before(now: datetime) -> Period:
    """The last complete day."""
    day = now.date() - timedelta(days=1)
    return Period(f"{day}", day, now.date())


def week_before(now: datetime) -> Period:
    """The last complete ISO week, which begins on Monday."""
    monday = now.date() - timedelta(days=now.weekday())
    since = monday - timedelta(days=7)
    year, week, _ = since.isocalendar()
    last = monday - timedelta(days=1)
    return Period(f"{year}-W{week:02} ({since} to {last})", since, monday)
