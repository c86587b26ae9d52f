"""Times of agents: what is typed, what launchd and systemd hold, what comes next."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.agents.jobs import ALL_JOBS, Installation, Job, fill_agent
from exporter.agents.launchd import parse_print
from exporter.agents.schedule import (
    ClockTime,
    Schedule,
    as_intervals,
    as_text,
    daily,
    every,
    from_intervals,
    next_start,
)
from exporter.agents.units import read_schedule, render_units

schedules = st.one_of(
    st.builds(lambda h, m: (ClockTime(h, m),), st.integers(0, 23), st.integers(0, 59)),
    st.sampled_from([5, 6, 10, 12, 15, 20, 30, 60]).map(lambda m: every(f"{m}m")),
)
PRINTED = """\
gui/501/com.02luka.parquet_refresh = {{
\tstate = not running
\tevent triggers = {{
{triggers}
\t}}
}}
"""
TRIGGER = """\
\t\tcom.02luka.parquet_refresh.2684354{number:02} => {{
\t\t\tkeepalive = 0
\t\t\tstream = com.apple.launchd.calendarinterval
\t\t\tdescriptor = {{
\t\t\t\t"Minute" => {minute}
\t\t\t}}
\t\t}}"""


@given(schedules)
def test_plist_and_timer_hold_what_was_asked_for(schedule: Schedule) -> None:
    assert from_intervals(as_intervals(schedule)) == schedule
    place = Installation(Path("/p"), Path("/r"))
    agent = fill_agent(Job("x", "com.02luka.x", schedule), place, {})
    assert read_schedule(render_units(agent)["com.02luka.x.timer"]) == schedule


def test_minutes_of_every_hour_are_read_from_what_launchctl_prints() -> None:
    triggers = "\n".join(
        TRIGGER.format(number=number, minute=minute)
        for number, minute in enumerate((40, 0, 20))
    )
    loaded = parse_print(PRINTED.format(triggers=triggers), "gui/501", True)
    assert loaded.schedule == "*:00,20,40" == as_text(every("20m"))


@pytest.mark.parametrize(
    ("schedule", "now", "start"),
    [
        (daily("02:30"), "2025-03-01 02:29:59", "2025-03-01 02:30"),
        (daily("02:30"), "2025-03-01 02:30:00", "2025-03-02 02:30"),
        (every("20m"), "2025-12-31 23:40:00", "2026-01-01 00:00"),
        (every("20m"), "2025-12-31 23:05:10", "2025-12-31 23:20"),
        (
            daily("5:00") + daily("02:30"),
            "2025-03-01 04:00",
            "2025-03-01 05:00",
        ),
    ],
)
def test_the_next_start(schedule: Schedule, now: str, start: str) -> None:
    found = next_start(schedule, datetime.fromisoformat(now))
    assert found == datetime.fromisoformat(start)


def test_every_agent_has_a_name_and_a_label_of_its_own() -> None:
    assert len({job.name for job in ALL_JOBS}) == len(ALL_JOBS)
    assert len({job.label for job in ALL_JOBS}) == len(ALL_JOBS)
