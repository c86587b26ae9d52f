"""Anomalies, forecasts and regressions say what a reckoning value by value says."""

from __future__ import annotations

import random
import statistics
from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from math import sqrt

import pytest

from tests.marts import Marts

NOW = datetime(2025, 4, 1, 10, 30)
TODAY = NOW.date()
DAY = timedelta(days=1)
# The least spread of a value, as a share of what is expected, and at all.
FLAT, LEAST = 0.05, 1
Series = dict[tuple[str, str], dict[date, float]]
Line = tuple[int, float, float, float, float]


class History:
    """Ninety days, some of them missing, of one dataset, queries and heartbeats.

    `series` are the values of complete days by metric and series, `hours` the
    heartbeats' durations, `queries` the times by hash and day.
    """

    def __init__(self, seed: int) -> None:
        self.marts = Marts(NOW)
        self.series: Series = defaultdict(dict)
        self.hours: dict[datetime, list[int]] = defaultdict(list)
        self.queries: dict[str, dict[date, list[float]]] = defaultdict(dict)
        chance = random.Random(seed)
        stored = 0
        for day in (TODAY - n * DAY for n in range(90, -1, -1)):
            if day == TODAY or chance.random() < 0.9:
                stored += chance.randint(1000, 2000)
                self._count(day, chance, stored)
                self._query(day, chance)
                self._beat(day, chance)
        # The present day is not over, and half of its heartbeats are to come.
        for values in self.series.values():
            values.pop(TODAY, None)
        for at in [at for at in self.hours if at > NOW]:
            del self.hours[at]

    def _count(self, day: date, chance: random.Random, stored: int) -> None:
        published = chance.choice([100, 100, 110, 120, chance.randint(0, 500)])
        rejected = chance.choice([0, 0, 0, chance.randint(0, 9)])
        before = max(self.series["stored_bytes", "all"].values(), default=0)
        counts = {
            "source": "heartbeats", "dataset": "ops_atomic", "date_partition": day,
            "published": published, "rejected": rejected, "duplicates": 0,
            "landed": published + rejected, "files": 1, "source_bytes": 9000,
            "parquet_bytes": int(stored - before),
        }  # fmt: skip
        self.marts.add("landed_counts", [counts])
        self.series["rows", "ops_atomic"][day] = published
        self.series["rejected_rows", "ops_atomic"][day] = rejected
        for name in ("ops_atomic", "all"):
            self.series["stored_bytes", name][day] = stored

    def _query(self, day: date, chance: random.Random) -> None:
        slow = 2 if TODAY - day <= 7 * DAY else 1
        for query in "abc":
            times = [
                round(chance.lognormvariate(2, 1) * (slow if query == "a" else 1), 3)
                for _ in range(chance.randint(1, 8))
            ]
            self.queries[query][day] = times
            self.marts.add("query_perf", [
                {
                    "timestamp": datetime.combine(day, time(9)), "query_hash": query,
                    "execution_time_ms": took, "date_partition": day,
                    "source_file": "day.csv",
                }
                for took in times
            ])  # fmt: skip
        all_times = [took for of in self.queries.values() for took in of[day]]
        self.series["query_total_ms", "all"][day] = sum(all_times)
        self.series["query_p95_ms", "all"][day] = quantile(all_times, 0.95)

    def _beat(self, day: date, chance: random.Random) -> None:
        for hour in (3, 15):
            for minute in range(chance.randint(0, 3)):
                at = datetime.combine(day, time(hour, minute))
                took = chance.choice([None, 50, 60, 70, chance.randint(1, 900)])
                beat = {"timestamp": at, "duration_ms": took, "date_partition": day}
                self.marts.add("ops_atomic", [beat])
                if took is not None:
                    self.hours[at.replace(minute=0)].append(took)


def quantile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    low, high = ordered[int(place)], ordered[min(int(place) + 1, len(ordered) - 1)]
    return low + (high - low) * (place - int(place))


def fit(values: dict[date, float], origin: date) -> Line | None:
    """Days, slope, level, deviation of values and of the slope."""
    points = [((day - origin).days, values[day]) for day in sorted(values)]
    points = [point for point in points if point[0] <= 0]
    if len(points) < 14:
        return None
    apart = len(points) // 14 * 7
    slopes = [
        (late[1] - early[1]) / (late[0] - early[0])
        for early, late in zip(points, points[apart:], strict=False)
    ]
    slope = statistics.median(slopes)
    rests = [value - slope * day for day, value in points]
    level = statistics.median(rests)
    spread = statistics.median(abs(rest - level) for rest in rests)
    slopes_spread = statistics.median(abs(each - slope) for each in slopes)
    off = 1.2533 * slopes_spread / sqrt(len(slopes))
    return len(points), slope, level, 1.4826 * spread, 1.4826 * off


def forecast(line: Line, days: int) -> list[float]:
    """Line, lower and upper end."""
    known, slope, level, spread, slope_spread = line
    width = 1.2816 * sqrt(spread**2 + (slope_spread * (days + known / 2)) ** 2)
    middle = level + slope * days
    return [max(0.0, middle + side * width) for side in (0, -1, 1)]


@pytest.fixture(scope="module", params=[1, 2])
def history(request: pytest.FixtureRequest) -> History:
    return History(request.param)


def test_what_is_odd_is_far_from_the_median_of_its_like(history: History) -> None:
    rows = history.marts.rows("metric_anomalies")
    days = [n * DAY for n in range(1, 29)]
    weeks = [7 * n * DAY for n in range(1, 13)]
    told = 0
    for row in rows:
        if row["grain"] == "hour":
            known = {at: statistics.median(of) for at, of in history.hours.items()}
            offsets, least = weeks, 4
        else:
            of_days = history.series[row["metric"], row["series"]]
            known = {datetime.combine(day, time()): of_days[day] for day in of_days}
            offsets, least = days, 14
        at = row["observed_at"]
        past = [known[at - back] for back in offsets if at - back in known]
        assert row["value"] == pytest.approx(known[at])
        assert row["history"] == len(past)
        z = None
        if len(past) >= least:
            middle = statistics.median(past)
            mad = statistics.median(abs(value - middle) for value in past)
            spread = max(1.4826 * mad, FLAT * middle, LEAST)
            z = pytest.approx((known[at] - middle) / spread)
            told += row["is_anomaly"]
        assert row["robust_z"] == z
        assert row["is_anomaly"] == (z is not None and abs(row["robust_z"]) >= 3.5)
    daily = ("rows", "rejected_rows", "query_p95_ms")
    expected = sum(len(of) for key, of in history.series.items() if key[0] in daily)
    assert len(rows) == expected + len(history.hours)
    assert told


def test_a_forecast_goes_on_as_the_median_of_slopes_does(history: History) -> None:
    rows = history.marts.rows("metric_forecast")
    assert len(rows) == 3 * (len(history.series) - 1), "rejects are not forecast"
    for row in rows:
        line = fit(history.series[row["metric"], row["series"]], TODAY - DAY)
        assert line
        expected = forecast(line, row["horizon_days"])
        found = [row["forecast"], row["lower_80"], row["upper_80"]]
        assert found == pytest.approx(expected)


def test_a_backtest_knows_no_more_than_its_origin(history: History) -> None:
    rows = history.marts.rows("forecast_backtest")
    expected = 0
    for (metric, _), values in history.series.items():
        origins = [TODAY - (31 + 30 * step) * DAY for step in range(12)]
        known = [day for day in origins if day + 30 * DAY in values]
        if metric != "rejected_rows":
            expected += sum(fit(values, day) is not None for day in known)
    assert len([row for row in rows if row["horizon_days"] == 30]) == expected > 0
    for row in rows:
        values = history.series[row["metric"], row["series"]]
        line = fit(values, row["forecast_from"])
        assert line
        middle, lower, upper = forecast(line, row["horizon_days"])
        found = [row["forecast"], row["lower_80"], row["upper_80"]]
        assert found == pytest.approx([middle, lower, upper])
        ahead = row["horizon_days"] * DAY
        assert row["actual"] == pytest.approx(values[row["forecast_from"] + ahead])
        assert row["is_inside"] == (lower <= row["actual"] <= upper)


def test_seven_days_are_held_against_the_28_before(history: History) -> None:
    verdicts = {}
    for row in history.marts.rows("query_regressions"):
        of = history.queries[row["query_key"]]
        after = [t for d in of if 1 <= (TODAY - d).days <= 7 for t in of[d]]
        before = [t for d in of if 8 <= (TODAY - d).days <= 35 for t in of[d]]
        p95 = quantile(before, 0.95), quantile(after, 0.95)
        assert (row["p95_before_ms"], row["p95_after_ms"]) == pytest.approx(p95)
        assert row["ratio"] == pytest.approx(p95[1] / p95[0])
        counts = row["executions_before"], row["executions_after"]
        assert counts == (len(before), len(after))
        verdicts[row["query_key"]] = row["verdict"], row["ratio"], min(counts)
    assert verdicts.keys() == {*"abc"}
    for verdict, ratio, least in verdicts.values():
        expected = "too_few" if least < 20 else "stable"
        if least >= 20 and not 1 / 1.5 <= ratio <= 1.5:
            expected = "regressed" if ratio > 1 else "improved"
        assert verdict == expected
