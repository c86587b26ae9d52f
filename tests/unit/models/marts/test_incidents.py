"""incidents are what goes wrong when the heartbeats are read one by one."""

from __future__ import annotations

from hypothesis import given, settings

from tests.unit.models.marts.timelines import (
    CELLS,
    REACH,
    Timeline,
    cell_of,
    timelines,
)

Incident = tuple[str, int, int | None, int]


def outages(
    timeline: Timeline, check: str, states: dict[tuple[str, int], str]
) -> list[Incident]:
    """(check, start, end, error heartbeats), heartbeat after heartbeat."""
    counted = {cell for key, cell in states if key == check}
    heard = {beat.cell: beat for beat in timeline.beats_of(check)}
    end_of_files = (max(timeline.heard_days) + 1) * CELLS
    found: list[Incident] = []
    start, errors = None, 0

    def close(at: int | None) -> None:
        nonlocal start, errors
        if start is not None and errors >= 2:
            found.append((check, start, at, errors))
        start, errors = None, 0

    if not counted:  # one that is named for the first time now
        return []
    last = min(end_of_files, timeline.now)
    for cell in [*range(min(counted), last), *({timeline.now} & heard.keys())]:
        if cell not in counted | {timeline.now}:
            close(cell)
        elif cell in heard:
            state = timeline.state(check, cell)
            if state == "down":
                start = cell if start is None else start
                errors += 1
            elif state != "unknown":
                close(cell)
    close(None if last - 1 in counted else max(counted) + 1)
    return found


def gaps(timeline: Timeline) -> list[Incident]:
    """The times in which no heartbeat vouches, cut where maintenance begins."""
    beats = {beat.cell for beat in timeline.beats}
    found: list[Incident] = []
    start = None
    for cell in range(min(beats), timeline.now):
        is_vouched = any(cell - REACH < beat <= cell for beat in beats)
        is_planned = timeline.state("overall", cell) == "maintenance"
        if is_vouched or is_planned:
            if start is not None:
                found.append(("monitor", start, cell, 0))
            start = None
        elif start is None:
            start = cell
    if start is not None:
        end = timeline.now if timeline.is_heard_now else None
        found.append(("monitor", start, end, 0))
    return found


@settings(max_examples=15)
@given(timelines())
def test_incidents_are_found_heartbeat_by_heartbeat(timeline: Timeline) -> None:
    found = []
    for row in timeline.marts().rows("incidents"):
        end = row["ended_at"] and cell_of(row["ended_at"])
        start = cell_of(row["started_at"])
        found.append((row["check_key"], start, end, row["heartbeats_down"]))
        assert row["is_open"] == (end is None)
        until = timeline.now if end is None else end
        assert row["duration_s"] == (until - start) * 600
    expected = gaps(timeline)
    states = timeline.states()
    for check in timeline.checks:
        expected += outages(timeline, check, states)
    assert sorted(found, key=str) == sorted(expected, key=str)
