"""What a check says, and what many of them say together."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

PASS, FAIL, PENDING, NOT_HERE = "pass", "fail", "pending", "n/a"
FULL, PARTIAL = "full", "partial"
COMPONENT, TEST, METRIC = "component", "test", "metric"


@dataclass(frozen=True)
class Check:
    """One thing that was looked at: what it should be, and what it is.

    `kind` says in which table it stands. `status` is `pass`, `fail`, `pending`
    for what has not happened yet, or `n/a` for what this system does not have.
    `mend` is the command that helps, where there is something to mend.
    """

    kind: str
    name: str
    target: str
    actual: str
    status: str
    mend: str = ""

    @property
    def is_to_be_mended(self) -> bool:
        return self.status in (FAIL, PENDING)


def passed(is_well: bool) -> str:
    return PASS if is_well else FAIL


def verdict(checks: Iterable[Check]) -> str:
    """full when all that can be checked here is well, else partial or pending."""
    found = {check.status for check in checks}
    if FAIL in found:
        return PARTIAL
    return PENDING if PENDING in found else FULL
