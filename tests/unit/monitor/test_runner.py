"""Checks side by side: one that hangs or raises is an error of that check alone."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest

from monitor.checks.result import Doubtful, Failed, Skipped
from monitor.runner import Planned, Runner


def planned(
    name: str, probe: Callable[[], str], limit_s: float = 5, severity: str = "error"
) -> Planned:
    return Planned("Group", name, severity, limit_s, probe)


def raising(error: BaseException) -> Callable[[], str]:
    def probe() -> str:
        raise error

    return probe


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    """What a hanging check waits for; opened in the end."""
    event = threading.Event()
    yield event
    event.set()


def test_each_check_has_its_result_in_the_order_asked_for() -> None:
    checks = [
        planned("well", lambda: "fine"),
        planned("failed", raising(Failed("down"))),
        planned("minor", raising(Failed("down")), severity="warn"),
        planned("doubtful", raising(Doubtful("odd"))),
        planned("skipped", raising(Skipped("not here"))),
        planned("broken", raising(ZeroDivisionError("by 0"))),
        planned("exits", raising(SystemExit(3))),
    ]
    results = Runner().run(checks, [])
    assert [(r.name, r.status, r.message) for r in results] == [
        ("well", "ok", "fine"),
        ("failed", "error", "down"),
        ("minor", "warn", "down"),
        ("doubtful", "warn", "odd"),
        ("skipped", "skipped", "Skipped: not here"),
        ("broken", "error", "Check broke off: ZeroDivisionError: by 0"),
        ("exits", "error", "Check broke off: SystemExit: 3"),
    ]


def test_checks_run_side_by_side() -> None:
    meet = threading.Barrier(8, timeout=5)

    def probe() -> str:
        meet.wait()
        return "met"

    checks = [planned(str(number), probe) for number in range(8)]
    assert {result.message for result in Runner().run(checks, [])} == {"met"}


def test_one_that_hangs_costs_one_thread_and_is_asked_again_when_it_ended(
    gate: threading.Event,
) -> None:
    runner = Runner()
    begun: list[int] = []

    def hang() -> str:
        begun.append(1)
        gate.wait()
        return "late"

    checks = [planned("hangs", hang, 0.001), planned("well", lambda: "fine")]
    before = threading.active_count()
    for _ in range(200):
        hung, well = runner.run(checks, [])
        assert (hung.status, hung.message) == (
            "error",
            "No answer within 0.001 seconds",
        )
        assert well.message == "fine"
    assert len(begun) == 1
    assert threading.active_count() <= before + 1
    assert runner.hanging == 1
    gate.set()
    patient = [planned("hangs", hang), planned("well", lambda: "fine")]
    while runner.hanging:
        pass
    assert runner.run(patient, [])[0].message == "late"
    assert runner.hanging == 0


def test_what_a_check_says_is_redacted() -> None:
    said = raising(ValueError("no http://ops:s3cr3t@host\nand hunter22"))
    (result,) = Runner().run([planned("a", said)], ["hunter22"])
    assert result.message == ("Check broke off: ValueError: no http://***@host and ***")
