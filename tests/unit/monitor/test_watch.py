"""What is told of a check: fails twice in a row, is well again, flaps, each once."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from monitor.checks.result import Result
from monitor.watch import REMEMBERED, Watched, watch

STATUSES = {"o": "ok", "e": "error", "w": "warn", "s": "skipped"}
START = datetime(2025, 10, 28)


def told(statuses: str) -> list[tuple[int, str, str]]:
    """(heartbeat, what was told, since when in minutes), five minutes apart."""
    known: dict[str, Watched] = {}
    found = []
    for number, letter in enumerate(statuses):
        at = START + timedelta(minutes=5 * number)
        result = Result("Redis", "Status", STATUSES[letter], "said")
        known, changes = watch(known, [result], at)
        found += [(number, change.kind, change.since[11:16]) for change in changes]
        assert len(known["Redis/Status"]["history"]) <= REMEMBERED
    return found


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [
        ("ooooo", []),
        ("sssss", []),
        ("oeooo", []),
        ("oeeee", [(2, "failed", "00:05")]),
        ("owwww", [(2, "failed", "00:05")]),
        ("oewso", [(2, "failed", "00:05"), (3, "recovered", "00:05")]),
        ("ee" + "o" * 20, [(1, "failed", "00:00"), (2, "recovered", "00:00")]),
        ("oeoeo" + "eo" * 20, [(4, "flapping", "00:15")]),
        (
            "oeoeo" + "o" * 30,
            [(4, "flapping", "00:15"), (9, "recovered", "00:15")],
        ),
        (
            "oeoeo" + "e" * 30 + "o",
            [
                (4, "flapping", "00:15"),
                (10, "failed", "00:25"),
                (35, "recovered", "00:25"),
            ],
        ),
    ],
)
def test_a_matter_is_told_once(
    statuses: str, expected: list[tuple[int, str, str]]
) -> None:
    found = told(statuses)
    assert [entry[:2] for entry in found] == [entry[:2] for entry in expected]
    if not any(kind == "flapping" for _, kind, _ in found):
        assert found == expected


def test_a_check_that_is_asked_for_no_longer_is_forgotten() -> None:
    known, _ = watch({}, [Result("Redis", "Status", "error", "")], START)
    assert watch(known, [Result("Files", "a", "ok", "")], START)[0].keys() == {
        "Files/a"
    }
