"""The present moment, which may be set: for what is judged by it, never for data."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import datetime

from ingest.inputs import utc_now
from ingest.text.times import parse_time

VARIABLE = "OPS_ATOMIC_AS_OF"


class BadPresent(ValueError):
    """OPS_ATOMIC_AS_OF holds no time."""


@dataclass(frozen=True)
class Present:
    """The present moment of a run, UTC, and whether somebody has set it."""

    at: datetime
    is_set: bool = False

    @classmethod
    def now(cls) -> Present:
        """The one for all that goes on. Raises BadPresent."""
        return cls(present(), bool(os.environ.get(VARIABLE, "").strip()))

    @property
    def mark(self) -> str:
        """What files that hang on the present moment are known by: a run later on
        the same UTC day has nothing to add to them."""
        return self.at.isoformat() if self.is_set else self.at.date().isoformat()


def present() -> datetime:
    """Now, naive and in UTC; OPS_ATOMIC_AS_OF, an ISO time, takes its place.

    For freshness, notices and what is shown; landing, locks and logs go by the
    real clock. Raises BadPresent.
    """
    text = os.environ.get(VARIABLE, "").strip()
    if not text:
        return utc_now()
    at = parse_time(text)
    if at is None:
        raise BadPresent(
            f"{VARIABLE} is {text!r}, not a time such as 2025-10-28T07:51:31Z"
        )
    return at
