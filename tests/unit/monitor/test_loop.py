"""The loop by a clock of its own: on time, without bursts, and for ever."""

from __future__ import annotations

import gc
import threading
import tracemalloc
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from unittest import mock

import pytest

from monitor.checks.result import Failed, Result
from monitor.heartbeat import Heartbeat
from monitor.loop import Loop
from monitor.runner import Planned, Runner
from monitor.settings import Settings, settings_path
from monitor.state import AlreadyRuns, alone, read_state
from monitor.watch import Change

START = 1_761_609_600.0  # midnight


class Over(BaseException):
    """The play is over."""


class Clock:
    """A wall clock that moves when somebody sleeps; `jumps` are by heartbeat."""

    def __init__(self, until_s: float = 0) -> None:
        self.now_s = START + 1.5
        self.slept_s = 0.0
        self.until_s = until_s

    def now(self) -> float:
        return self.now_s

    def sleep(self, seconds: float) -> None:
        assert 0 < seconds <= 5
        self.now_s += seconds * 1.0001  # nobody wakes to the instant
        self.slept_s += seconds
        if self.until_s and self.slept_s >= self.until_s:
            raise Over


def play(
    root: Path,
    clock: Clock,
    make: Callable[[int], list[Result]] = lambda _: [],
    settings: Settings | None = None,
    tell: Callable[[Sequence[Change]], Sequence[Change]] = lambda _: (),
    most: int = 10_000,
) -> list[float]:
    """When heartbeats were made, in seconds since midnight."""
    made: list[float] = []

    def beat(
        _: Path, settings: Settings, __: Runner, now_s: float
    ) -> tuple[Heartbeat, list[Path]]:
        if len(made) >= most:
            raise Over
        made.append(round(now_s - START, 2))
        at = datetime.fromtimestamp(now_s, UTC)
        return Heartbeat(at, 1, settings.interval_s, make(len(made))), []

    loop = Loop(root, settings or Settings(), tell, clock.now, clock.sleep, beat)
    with pytest.raises(Over):
        loop.run()
    return made


def lines(root: Path, stream: str) -> list[str]:
    path = root / f"g/logs/ops_monitor.loop.{stream}.log"
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    return [line.partition("] ")[2] for line in text.splitlines()]


def test_beats_are_at_multiples_and_never_drift(tmp_path: Path) -> None:
    clock = Clock(until_s=86_400)

    def slow(_: int) -> list[Result]:
        clock.now_s += 7
        return []

    first, *others = play(tmp_path, clock, slow)
    assert first == 1.5
    assert [round(at / 300) for at in others] == list(range(1, len(others) + 1))
    assert all(at % 300 < 0.1 for at in others)
    assert len(others) > 280


def test_after_sleep_there_is_one_beat_and_no_burst(tmp_path: Path) -> None:
    clock = Clock(until_s=1800)

    def asleep(number: int) -> list[Result]:
        clock.now_s += 36_000 * (number == 2)
        return []

    made = play(tmp_path, clock, asleep)
    gaps = [round(b - a) for a, b in pairwise(made)]
    # Ten hours, once; the machine slept while the checks were made.
    assert [gap for gap in gaps if gap not in (298, 299, 300)] == [36_300]


def test_a_clock_that_is_put_back_silences_nothing(tmp_path: Path) -> None:
    clock = Clock(until_s=3000)
    slept_at: list[float] = []

    def back(number: int) -> list[Result]:
        slept_at.append(clock.slept_s)
        if number == 3:
            clock.now_s -= 10_000
        if number == 6:
            clock.now_s += 777
        return []

    play(tmp_path, clock, back)
    gaps = [b - a for a, b in pairwise(slept_at)]
    assert max(gaps) <= 305
    assert len(slept_at) >= 10


def test_a_clock_that_is_put_right_brings_no_second_beat(tmp_path: Path) -> None:
    clock = Clock(until_s=3000)

    def adjusted(_: int) -> list[Result]:
        clock.now_s -= 0.4
        return []

    made = play(tmp_path, clock, adjusted)
    assert all(b - a > 200 for a, b in pairwise(made))


def test_ten_thousand_cycles_take_no_more_memory(tmp_path: Path) -> None:
    gate = threading.Event()
    runner = Runner()

    def down() -> str:
        raise Failed("down http://ops:s3cr3t@host")

    def hang() -> str:
        gate.wait()
        return ""

    checks = [
        Planned("Group", "down", "error", 5, down),
        Planned("Group", "hangs", "error", 0, hang),
    ]
    seen: list[int] = []
    threads = threading.active_count()

    def make(number: int) -> list[Result]:
        if number in (1_000, 9_999):
            gc.collect()
            seen.append(tracemalloc.get_traced_memory()[0])
        return runner.run(checks, ["hunter22"])

    tracemalloc.start()
    try:
        made = play(tmp_path, Clock(), make, Settings(interval_s=5))
    finally:
        tracemalloc.stop()
        gate.set()
    assert len(made) == 10_000
    assert threading.active_count() <= threads + 1
    # The list of heartbeats of this test itself grows by 9,000 numbers.
    assert seen[1] - seen[0] < 700_000
    logs = list((tmp_path / "g/logs").iterdir())
    assert sum(path.stat().st_size for path in logs) < 5 << 20


def test_logs_are_set_aside_as_they_grow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("monitor.logs.LOG_BYTES", 2_000)
    play(tmp_path, Clock(), most=500)
    logs = sorted((tmp_path / "g/logs").iterdir())
    assert len(logs) == 4
    assert all(path.stat().st_size <= 2_000 for path in logs)


def test_what_is_done_is_logged(tmp_path: Path) -> None:
    play(tmp_path, Clock(), most=2)
    assert lines(tmp_path, "out")[:4] == [
        "▶ run monitor",
        "⏳ sleep 298s",
        "▶ run monitor",
        "⏳ sleep 300s",
    ]
    assert lines(tmp_path, "err") == []


def test_a_full_disk_and_a_defect_end_nothing(tmp_path: Path) -> None:
    def spoil(number: int) -> list[Result]:
        if number == 1:
            raise OSError(28, "No space left on device", str(Path.home() / "x"))
        if number == 2:
            raise ZeroDivisionError("by 0")
        return []

    assert len(play(tmp_path, Clock(), spoil, most=4)) == 4
    assert lines(tmp_path, "err") == [
        "✗ no heartbeat was written: [Errno 28] No space left on device: '~/x'",
        "✗ no heartbeat was made: ZeroDivisionError: by 0",
    ]


def test_a_full_disk_keeps_no_monitor_from_starting(tmp_path: Path) -> None:
    full = mock.Mock(side_effect=OSError(28, "No space left on device"))
    with mock.patch("os.pwrite", full):
        assert len(play(tmp_path, Clock(), most=2)) == 2
    assert full.called


def test_logs_that_cannot_be_written_end_nothing(tmp_path: Path) -> None:
    (tmp_path / "g").mkdir()
    (tmp_path / "g/logs").write_text("in the way")
    assert len(play(tmp_path, Clock(), most=3)) == 3


def test_settings_are_read_anew_when_they_change(tmp_path: Path) -> None:
    path = settings_path(tmp_path)
    path.parent.mkdir(parents=True)
    path.write_text("interval_s = 300\n")
    clock = Clock()

    def change(number: int) -> list[Result]:
        if number == 2:
            path.write_text("interval_s = 60\n")
        if number == 4:
            path.write_text("interval_s = 'often'\n")
        if number == 6:
            path.write_text("interval_s = 3600\n")
        return []

    made = play(tmp_path, clock, change, most=7)
    assert [round(at) for at in made[1:]] == [300, 360, 420, 480, 540, 3600]
    (line,) = lines(tmp_path, "err")
    assert "interval_s is 'often': give a number" in line
    assert "the settings before still hold" in line


def test_changes_are_told_once_also_over_a_restart(tmp_path: Path) -> None:
    told: list[Change] = []

    def tell(changes: Sequence[Change]) -> Sequence[Change]:
        told.extend(changes)
        raise RuntimeError("http://s3cr3t")

    def down(_: int) -> list[Result]:
        return [Result("Redis", "Status", "error", "connection refused")]

    def up(_: int) -> list[Result]:
        return [Result("Redis", "Status", "ok", "Redis responding")]

    for make in (down, down, up):
        play(tmp_path, Clock(), make, tell=tell, most=2)
    assert [(change.kind, change.name) for change in told] == [
        ("failed", "Status"),
        ("recovered", "Status"),
    ]
    assert lines(tmp_path, "err") == ["✗ notices: RuntimeError"] * 2
    state = tmp_path / "g/analytics/state"
    assert state.stat().st_mode & 0o777 == 0o700
    assert (state / "monitor.json").stat().st_mode & 0o777 == 0o600
    (state / "monitor.json").write_text("{")
    assert read_state(tmp_path) == {}


def test_there_is_one_monitor_of_a_root(tmp_path: Path) -> None:
    with alone(tmp_path), pytest.raises(AlreadyRuns, match=r"process \d+"):
        play(tmp_path, Clock())
    play(tmp_path, Clock(), most=1)


def test_what_is_held_back_is_told_when_it_no_longer_is(tmp_path: Path) -> None:
    asked: list[str] = []

    def tell(changes: Sequence[Change]) -> Sequence[Change]:
        asked.extend(change.kind for change in changes)
        return changes if len(asked) < 4 else ()

    def down(_: int) -> list[Result]:
        return [Result("Redis", "Status", "error", "connection refused")]

    play(tmp_path, Clock(), down, tell=tell, most=9)
    # From the second heartbeat on, until somebody was told.
    assert asked == ["failed"] * 4
