"""slo_status and reliability_summary are sums over what each moment is."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings

from tests.unit.models.marts.timelines import (
    CELLS,
    STEP,
    Timeline,
    cell_of,
    time_of,
    timelines,
)

SECONDS = STEP.total_seconds()
TARGETS = {"redis": 0.995, "*": 0.99}
STATES = ("up", "degraded", "down", "unknown", "maintenance")


def states_until_now(timeline: Timeline) -> dict[tuple[str, int], str]:
    """What counts at the end of the last day with heartbeats counts from there on."""
    states = timeline.states()
    end = (max(timeline.heard_days) + 1) * CELLS
    if end >= timeline.now:
        return states
    for check in timeline.checks:
        if (check, end - 1) in states:
            for cell in range(end, timeline.now):
                states[check, cell] = timeline.state(check, cell)
    return states


def periods(timeline: Timeline) -> dict[str, int]:
    """The first cell of each period, perhaps before all heartbeats."""
    now = time_of(timeline.now)
    month = now.replace(day=1, hour=0, minute=0)
    return {
        **{f"{days}d": timeline.now - days * CELLS for days in (7, 30, 90)},
        "month": cell_of(month),
    }


def counted(states: dict[tuple[str, int], str], check: str, start: int) -> Counter[str]:
    """Seconds of a check in each state from a cell on."""
    cells = Counter(
        state for (key, cell), state in states.items() if key == check and cell >= start
    )
    return Counter({state: number * SECONDS for state, number in cells.items()})


def share(part: float, whole: float) -> float | None:
    return part / whole if whole else None


@settings(max_examples=15)
@given(timelines())
def test_budgets_and_burn_rates_are_sums_of_moments(timeline: Timeline) -> None:
    states = states_until_now(timeline)
    marts = timeline.marts()
    marts.db.execute(f"delete from {marts.view('slo_targets')}")
    marts.add(
        "slo_targets",
        [{"check_key": key, "target": target} for key, target in TARGETS.items()],
    )
    told = {(row["check_key"], row["period"]): row for row in marts.rows("slo_status")}
    for period, start in periods(timeline).items():
        for check in timeline.checks:
            spent = counted(states, check, start)
            if not spent:
                continue
            row = told.pop((check, period))
            allowed = 1 - TARGETS.get(check, TARGETS["*"])
            up = spent["up"] + spent["degraded"]
            observed = up + spent["down"]
            judged = observed + spent["unknown"]
            assert row["uptime_observed"] == pytest.approx(share(up, observed))
            assert row["uptime_strict"] == pytest.approx(share(up, judged))
            expected = share(observed, judged)
            assert row["coverage"] == pytest.approx(expected, abs=1e-12)
            assert row["error_budget_s"] == pytest.approx(allowed * observed)
            assert row["budget_left_s"] == pytest.approx(
                allowed * observed - spent["down"]
            )
            for hours in (1, 6):
                last = counted(states, check, timeline.now - hours * 6)
                seen = last["up"] + last["degraded"] + last["down"]
                rate = share(last["down"], seen)
                assert row[f"burn_rate_{hours}h"] == pytest.approx(
                    None if rate is None else rate / allowed
                )
            is_breached = up / observed < 1 - allowed if observed else None
            assert row["is_breached"] == is_breached
    told = {key: row for key, row in told.items() if not is_named_now(timeline, key[0])}
    # Only in a month's first hours a check may count in the last six alone.
    assert {period for _, period in told} <= {"month"}


@settings(max_examples=15)
@given(timelines())
def test_a_summary_is_the_sum_of_moments_and_incidents(timeline: Timeline) -> None:
    states = states_until_now(timeline)
    marts = timeline.marts()
    incidents = marts.rows("incidents")
    told = {
        (row["check_key"], row["period"]): row
        for row in marts.rows("reliability_summary")
    }
    for period, start in periods(timeline).items():
        for check in timeline.checks:
            spent = counted(states, check, start)
            if not spent:
                continue
            row = told.pop((check, period))
            whole = sum(spent.values())
            for state in STATES:
                assert row[f"{state}_share"] == pytest.approx(spent[state] / whole)
            own = [
                incident
                for incident in incidents
                if incident["check_key"] == check
                and (incident["is_open"] or cell_of(incident["ended_at"]) > start)
            ]
            begun = [one for one in own if cell_of(one["started_at"]) >= start]
            assert row["incidents"] == len(begun)
            ended = [one["duration_s"] for one in own if not one["is_open"]]
            assert row["mttr_s"] == pytest.approx(share(sum(ended), len(ended)))
            up = spent["up"] + spent["degraded"]
            assert row["mtbf_s"] == pytest.approx(share(up, len(begun)))
            assert row["longest_outage_s"] == max(
                (
                    (
                        (timeline.now if one["is_open"] else cell_of(one["ended_at"]))
                        - max(start, cell_of(one["started_at"]))
                    )
                    * SECONDS
                    for one in own
                ),
                default=None,
            )
            assert row["flaps_per_day"] == pytest.approx(
                flaps(states | state_now(timeline, check), check, start)
                / (whole / 86_400)
            )
    assert all(is_named_now(timeline, check) for check, _ in told)
    assert {row["up_share"] for row in told.values()} <= {None}


def state_now(timeline: Timeline, check: str) -> dict[tuple[str, int], str]:
    """What a heartbeat of just the present moment says of a check."""
    if not is_named_now(timeline, check):
        return {}
    return {(check, timeline.now): timeline.state(check, timeline.now)}


def is_named_now(timeline: Timeline, check: str) -> bool:
    """Whether a heartbeat of just the present moment names a check, which may count
    from then on."""
    return timeline.is_heard_now and check in timeline.beats[-1].says


def flaps(states: dict[tuple[str, int], str], check: str, start: int) -> int:
    """Changes between observed states; unknown time and maintenance are none."""
    before, changes = None, 0
    for cell in sorted(cell for key, cell in states if key == check):
        state = states[check, cell]
        if state in ("unknown", "maintenance"):
            continue
        changes += before not in (None, state) and cell >= start
        before = state
    return changes
