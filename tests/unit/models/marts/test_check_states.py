"""check_states and uptime_daily say what a reckoning of each moment says."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings

from tests.unit.models.marts.timelines import (
    CELLS,
    STEP,
    TTL,
    Beat,
    Timeline,
    cell_of,
    time_of,
    timelines,
)


@settings(max_examples=30)
@given(timelines())
def test_spans_are_what_each_moment_is(timeline: Timeline) -> None:
    found: dict[tuple[str, int], str] = {}
    heartbeats: Counter[str] = Counter()
    before = None
    for span in timeline.marts().rows(
        "check_states", "check_key, date_partition, started_at"
    ):
        assert span["machine"] == "m"
        is_now = span["started_at"] == span["ended_at"] == time_of(timeline.now)
        assert span["started_at"] < span["ended_at"] or (is_now and span["heartbeats"])
        assert span["started_at"].date() == span["date_partition"]
        length = span["ended_at"] - span["started_at"]
        assert span["duration_s"] == length.total_seconds()
        cells = range(cell_of(span["started_at"]), cell_of(span["ended_at"]))
        for cell in cells:
            assert (span["check_key"], cell) not in found, "spans overlap"
            found[span["check_key"], cell] = span["state"]
        inside = [
            beat.cell
            for beat in timeline.beats_of(span["check_key"])
            if beat.cell in cells or is_of_now(timeline, beat.cell, span)
        ]
        assert span["heartbeats"] == len(inside)
        assert span["first_heartbeat_at"] == (time_of(inside[0]) if inside else None)
        assert span["last_heartbeat_at"] == (time_of(inside[-1]) if inside else None)
        heartbeats[span["check_key"]] += len(inside)
        assert "\n" not in (span["message"] or "")
        key = (span["check_key"], span["date_partition"])
        if before and (before["check_key"], before["date_partition"]) == key:
            assert before["ended_at"] == span["started_at"], "spans touch"
            assert before["state"] != span["state"], "one state is one span"
        before = span
    assert found == timeline.states()
    for check in timeline.checks:
        assert heartbeats[check] == len(timeline.beats_of(check))


def is_of_now(timeline: Timeline, cell: int, span: dict[str, Any]) -> bool:
    """Whether a heartbeat is of the present moment, at which a span ends, and says
    the same."""
    return bool(
        time_of(cell) == time_of(timeline.now) == span["ended_at"]
        and time_of(cell).date() == span["date_partition"]
        and timeline.state(span["check_key"], cell) == span["state"]
    )


@settings(max_examples=12)
@given(timelines())
def test_seconds_add_up_to_the_counted_part_of_the_day(timeline: Timeline) -> None:
    expected: dict[tuple[str, int, str], float] = defaultdict(float)
    for (check, cell), state in timeline.states().items():
        expected[check, cell // CELLS, state] += STEP.total_seconds()
    found: dict[tuple[str, int, str], float] = {}
    for row in timeline.marts().rows("uptime_daily"):
        day = (row["date_partition"] - time_of(0).date()).days
        for state in ("up", "degraded", "down", "unknown", "maintenance"):
            found[row["check_key"], day, state] = row[f"{state}_s"]
        up = row["up_s"] + row["degraded_s"]
        observed, judged = up + row["down_s"], up + row["down_s"] + row["unknown_s"]
        assert row["uptime_observed"] == (up / observed if observed else None)
        assert row["uptime_strict"] == (up / judged if judged else None)
        coverage = 1 - row["unknown_s"] / judged if judged else None
        assert row["coverage"] == pytest.approx(coverage)
    assert {key: seconds for key, seconds in found.items() if seconds} == expected


@settings(max_examples=12)
@given(timelines())
def test_a_day_made_alone_is_the_day_made_with_all_others(timeline: Timeline) -> None:
    """It reads the days back to the last that was heard, and as many as a check
    lives on before that one."""
    marts = timeline.marts()
    together = marts.rows("check_states")
    alone = []
    for day in range(min(timeline.heard_days), max(timeline.heard_days) + 1):
        heard = max(
            (earlier for earlier in timeline.heard_days if earlier < day), default=day
        )
        days = [
            str((time_of(0) + timedelta(days=read)).date())
            for read in range(heard - TTL // CELLS + 1, day + 1)
        ]
        reads = {"ops_atomic": days, "heartbeat_checks": days}
        alone += marts.of_days(days[-1:], reads).rows("check_states")
    order = sorted(alone, key=lambda row: [str(value) for value in row.values()])
    assert order == sorted(
        together, key=lambda row: [str(value) for value in row.values()]
    )


@pytest.mark.parametrize("checks", [["*", "overall"], ["overall", "*"]])
def test_windows_that_open_together_tell_one_reason_in_one_line(
    checks: list[str],
) -> None:
    """Whatever their order."""
    marts = Timeline([Beat(1, {"overall": "ok"})], [], 9).marts()
    reasons = {"*": " all of it\nand more", "overall": "disk"}
    marts.add("maintenance_windows", [
        {
            "check_key": check,
            "started_at": time_of(2),
            "ended_at": time_of(end),
            "reason": reasons[check],
        }
        for check, end in zip(checks, [4, 6], strict=True)
    ])  # fmt: skip
    spans = marts.rows("check_states", "started_at")
    assert [(span["state"], span["message"]) for span in spans] == [
        ("up", None),
        ("maintenance", "all of it"),
        ("unknown", None),
    ]
