"""What a check says, and what it raises."""

from __future__ import annotations

from typing import NamedTuple

OK, WARN, ERROR, SKIPPED = "ok", "warn", "error", "skipped"


class Failed(Exception):
    """The check failed; the message says how. Its severity is in the settings."""


class Doubtful(Exception):
    """It works, but not as it should: a warning, whatever the severity."""


class Skipped(Exception):
    """It cannot be looked at on this machine."""


class Result(NamedTuple):
    """One check of a heartbeat. `status` is ok, warn, error or skipped."""

    group: str
    name: str
    status: str
    message: str

    @property
    def key(self) -> str:
        return f"{self.group}/{self.name}"
