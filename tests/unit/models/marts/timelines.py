"""Random heartbeats on a grid of ten minutes, and what they mean, cell by cell.

Nothing here looks at the models: it reads the rules, one moment after the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from hypothesis import strategies as st

from tests.marts import Marts

START = datetime(2025, 1, 1)
STEP = timedelta(minutes=10)
CELLS = 144  # a day
REACH = 3  # cells
TTL = 2 * CELLS
VARIABLES = {"interval_s": 1200, "grace_s": 600, "check_ttl_days": 2}
STATES = {"ok": "up", "warn": "degraded", "error": "down"}
# A check with a column, and one without.
CHECKS = {"redis": ("Redis", "Status"), "disk/free_space": ("Disk", "freeSpace")}


@dataclass(frozen=True)
class Beat:
    """A heartbeat: its cell, and what it says of each check."""

    cell: int
    says: dict[str, str]


@dataclass(frozen=True)
class Window:
    """A maintenance window in cells; `end` None: until further notice."""

    check: str
    start: int
    end: int | None

    def covers(self, check: str, cell: int) -> bool:
        is_on = self.start <= cell and (self.end is None or cell < self.end)
        return is_on and self.check in ("*", check)


@dataclass(frozen=True)
class Timeline:
    """Heartbeats in their order, maintenance, and the present moment."""

    beats: list[Beat]
    windows: list[Window]
    now: int

    @property
    def checks(self) -> set[str]:
        return {check for beat in self.beats for check in beat.says}

    @property
    def is_heard_now(self) -> bool:
        """Whether there is a heartbeat of just the present moment."""
        return any(beat.cell == self.now for beat in self.beats)

    @property
    def heard_days(self) -> set[int]:
        return {beat.cell // CELLS for beat in self.beats}

    def beats_of(self, check: str) -> list[Beat]:
        return [beat for beat in self.beats if check in beat.says]

    def state(self, check: str, cell: int) -> str:
        if any(window.covers(check, cell) for window in self.windows):
            return "maintenance"
        before = [beat for beat in self.beats if beat.cell <= cell]
        if not before or before[-1].cell + REACH <= cell:
            return "unknown"
        return STATES.get(before[-1].says.get(check, ""), "unknown")

    def counts_after(self, check: str, day: int) -> bool:
        """Whether a check counts at the end of a day."""
        if day < min(self.heard_days):
            return False
        if day not in self.heard_days:
            return self.counts_after(check, day - 1)
        end = (day + 1) * CELLS
        seen = [beat.cell for beat in self.beats_of(check) if beat.cell < end]
        return bool(seen) and seen[-1] + TTL > end

    def counts(self, check: str, cell: int) -> bool:
        day = cell // CELLS
        before = self.counts_after(check, day - 1)
        if day not in self.heard_days:
            return before
        cells = [beat.cell for beat in self.beats_of(check)]
        today = [seen for seen in cells if seen // CELLS == day]
        if today:
            return before or cell >= today[0]
        earlier = [seen for seen in cells if seen < day * CELLS]
        return bool(earlier) and cell < earlier[-1] + TTL

    def states(self) -> dict[tuple[str, int], str]:
        """The state of each check in each cell in which it counts."""
        first = min(self.heard_days) * CELLS
        last = min((max(self.heard_days) + 1) * CELLS, self.now)
        return {
            (check, cell): self.state(check, cell)
            for check in self.checks
            for cell in range(first, last)
            if self.counts(check, cell)
        }

    def marts(self) -> Marts:
        """The marts over these heartbeats."""
        marts = Marts(time_of(self.now), **VARIABLES)
        marts.add("ops_atomic", [
            {
                "filename": f"heartbeat_{beat.cell}.md",
                "timestamp": time_of(beat.cell),
                "status": beat.says["overall"],
                "redis_status": beat.says.get("redis"),
                "date_partition": time_of(beat.cell).date(),
            }
            for beat in self.beats
        ])  # fmt: skip
        marts.add("heartbeat_checks", [
            {
                "filename": f"heartbeat_{beat.cell}.md",
                "timestamp": time_of(beat.cell),
                "check_group": group,
                "check_name": name,
                "status": beat.says[check],
                "message": f"{check} at {beat.cell}\nand more",
                "date_partition": time_of(beat.cell).date(),
            }
            for beat in self.beats
            for check, (group, name) in CHECKS.items()
            if check in beat.says
        ])  # fmt: skip
        marts.add("maintenance_windows", [
            {
                "check_key": window.check,
                "started_at": time_of(window.start),
                "ended_at": None if window.end is None else time_of(window.end),
                "reason": "planned",
            }
            for window in self.windows
        ])  # fmt: skip
        return marts


def time_of(cell: int) -> datetime:
    return START + cell * STEP


def cell_of(time: datetime) -> int:
    cell, rest = divmod(time - START, STEP)
    assert not rest, time
    return cell


@st.composite
def timelines(draw: st.DrawFn) -> Timeline:
    """A few days, with gaps, silent days, checks that come and go."""
    statuses = ["ok", "ok", "error", "error", "warn", "unknown", "skipped"]
    steps = draw(
        st.lists(
            st.sampled_from([1, 1, 2, 2, 2, 3, 4, 9, 60, 144, 200, 400]),
            min_size=1,
            max_size=18,
        )
    )
    cell = draw(st.sampled_from([0, 1, 70, 130, 141, 143]))
    beats: list[Beat] = []
    for step in steps:
        # Of two that say nothing, what lies between them cannot be told.
        is_told = any(beat.says["overall"] == "unknown" for beat in beats)
        says = {"overall": draw(st.sampled_from(statuses[: 5 if is_told else 6]))}
        for check in CHECKS:
            if draw(st.integers(0, 3)):
                says[check] = draw(st.sampled_from(statuses))
        beats.append(Beat(cell, says))
        cell += step
    last = beats[-1].cell
    windows = draw(
        st.lists(
            st.builds(
                lambda check, start, length: Window(
                    check, start, length and start + length
                ),
                st.sampled_from(["*", "overall", "redis"]),
                st.integers(-3, last + 10),
                st.sampled_from([1, 2, 5, 30, 300, None]),
            ),
            max_size=2,
        )
    )
    ahead = draw(st.sampled_from([0, 0, 1, 2, 3, 5, 100, 400]))
    return Timeline(beats, windows, last + ahead)
