"""Every sixty days of a synthetic root hold what is said to be planted in them."""

from __future__ import annotations

import itertools
import json
import re
import statistics
import tarfile
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from exporter.sample import planted, write_sample
from exporter.sample.planted import Failure
from exporter.sample.queries import catalogue, scans

START = date(2025, 1, 1)
FOLDER = Path("g/reports/ops_atomic")
MARKS = {
    "redis": "### Redis\n\n- **Status:** ❌",
    "database": "### Database\n\n- **Status:** ❌",
    "optimizer": "- **com.02luka.optimizer:** ⚠️",
}
Beats = dict[datetime, str]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("planted")
    count = write_sample(root, 2 * planted.CYCLE, start=START)
    assert count.bundles == 2 * len(planted.ADVICE_NIGHTS)
    return root


@pytest.fixture(scope="module")
def beats(root: Path) -> Beats:
    return {
        datetime.strptime(path.name, "heartbeat_%Y-%m-%d_%H-%M-%S.md"): path.read_text(
            encoding="utf-8"
        )
        for path in sorted((root / FOLDER).iterdir())
    }


def moment(day: int, second: float) -> datetime:
    return datetime.combine(START, datetime.min.time()) + timedelta(day, second)


def around(beats: Beats, failure: Failure, cycle: int) -> Iterator[tuple[bool, str]]:
    """Whether each heartbeat of an hour more on both sides is within it, and it."""
    day = failure.day + cycle * planted.CYCLE
    begins, ends = moment(day, failure.begins), moment(day, failure.ends)
    hour = timedelta(hours=1)
    for at, text in beats.items():
        if begins - hour <= at < ends + hour:
            yield begins <= at < ends, text


@pytest.mark.parametrize("cycle", [0, 1])
@pytest.mark.parametrize(
    "failure",
    [failure for failure in planted.FAILURES if not failure.flaps],
    ids=lambda failure: f"{failure.day}-{failure.check}",
)
def test_a_check_fails_from_then_until_then(
    beats: Beats, failure: Failure, cycle: int
) -> None:
    mark = MARKS[failure.check]
    seen = list(around(beats, failure, cycle))
    assert [mark in text for _, text in seen] == [within for within, _ in seen]
    # None of them is missed.
    hours = (failure.ends - failure.begins) / planted.HOUR
    within = sum(within for within, _ in seen)
    open_end = (
        cycle == 1
        and failure.day == planted.CYCLE - 1
        and failure.ends > planted.HOUR * 24
    )
    due = 12 * (24 - failure.begins / planted.HOUR if open_end else hours)
    assert due - 1 <= within <= due


@pytest.mark.parametrize("cycle", [0, 1])
def test_a_check_flaps(beats: Beats, cycle: int) -> None:
    failing = [
        MARKS["redis"] in text
        for within, text in around(beats, planted.FLAPPING, cycle)
        if within
    ]
    assert len(failing) >= 35
    assert all(before != after for before, after in itertools.pairwise(failing))


@pytest.mark.parametrize("cycle", [0, 1])
def test_the_monitor_is_silent_for_a_while(beats: Beats, cycle: int) -> None:
    seen = [within for within, _ in around(beats, planted.GAP, cycle)]
    assert not any(seen)
    assert 23 <= len(seen) <= 25


def times(root: Path, day: int) -> dict[str, list[float]]:
    """The times of a day in ms, by query."""
    found: dict[str, list[float]] = {}
    name = f"query_perf_daily_{START + timedelta(day):%Y%m%d}.csv"
    for line in (root / "g/reports" / name).read_text().splitlines()[1:]:
        _, query_hash, _, time_ms, *_ = line.split(",")
        if time_ms != "n/a":
            found.setdefault(query_hash, []).append(float(time_ms))
    return found


def median_of(root: Path, scan: int, day: int) -> float:
    """The median time of a day of the n-th scan, in ms."""
    (place,) = [place for place, number in scans(1).items() if number == scan]
    return statistics.median(times(root, day)[catalogue(1)[place].query_hash])


@pytest.mark.parametrize(
    ("scan", "before", "after", "ratio"),
    [(0, 52, 53, 3), (1, 13, 14, 4), (1, 40, 41, 0.05)],
    ids=["regresses", "lacks its index", "gets its index"],
)
def test_a_query_changes_its_pace(
    root: Path, scan: int, before: int, after: int, ratio: float
) -> None:
    found = median_of(root, scan, after) / median_of(root, scan, before)
    assert found == pytest.approx(ratio, rel=0.4)


def test_more_is_asked_as_time_goes_on(root: Path) -> None:
    rows = [sum(map(len, times(root, day).values())) for day in range(planted.CYCLE)]
    assert statistics.mean(rows[-7:]) > 1.15 * statistics.mean(rows[:14])


def test_some_records_cannot_be_typed(root: Path, beats: Beats) -> None:
    rows = (root / "g/reports/query_perf_daily_20250220.csv").read_text()
    assert rows.count(",n/a,") == planted.UNREADABLE_ROWS
    silent = [at for at, text in beats.items() if "**Status:**" not in text]
    assert [at.date() for at in silent] == [date(2025, 2, 21), date(2025, 4, 22)]


def test_a_column_comes_and_goes(root: Path) -> None:
    with_plan = [
        path.stem[-8:]
        for path in sorted((root / "g/reports").glob("query_perf_daily_*.csv"))
        if path.read_text().partition("\n")[0].endswith(",plan")
    ]
    assert with_plan[:3] == ["20250217", "20250218", "20250219"]
    assert len(with_plan) == 2 * 3


def test_advice_of_two_generators_comes_and_goes(root: Path) -> None:
    advised: list[tuple[str, set[str]]] = []
    for path in sorted((root / "g/reports/archive").iterdir()):
        moved_at = datetime.strptime(path.name, "reports_%Y%m%d_%H%M%S.tar.gz")
        with tarfile.open(path) as archive:
            assert {name.partition("/")[0] for name in archive.getnames()} == {
                "g", "knowledge",
            }  # fmt: skip
            for member in archive:
                assert member.mtime < moved_at.replace(tzinfo=UTC).timestamp()
                stream = archive.extractfile(member)
                assert stream
                report = json.loads(stream.read())
                patterns = {r["query_pattern"] for r in report["recommendations"]}
                advised.append((report["timestamp"][:10], patterns))
    (place,) = [place for place, number in scans(1).items() if number == 1]
    helped = catalogue(1)[place].text
    assert [helped in patterns for _, patterns in advised[:6]] == [True] * 4 + [
        False
    ] * 2
    last = json.loads((root / "g/reports/index_advisor_report.json").read_text())
    still = {r["query_pattern"] for r in last["recommendations"]}
    assert still
    assert helped not in still


def test_the_first_week_has_nothing_planted() -> None:
    for day in range(7):
        assert not list(planted.failures(day))
        assert planted.growth(day) == planted.slowdown(day, 0) == 1


def test_planted_patterns_are_there_as_json(root: Path) -> None:
    names = sorted(path.stem for path in (root / "g/reports").glob("*_daily_*.json"))
    days = [
        (START + timedelta(day + cycle * planted.CYCLE)).strftime("%Y%m%d")
        for cycle in (0, 1)
        for day in planted.PATTERN_DAYS
    ]
    assert [re.sub(r"\D", "", name) for name in names] == days
