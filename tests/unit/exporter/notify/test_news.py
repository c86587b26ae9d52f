"""What the data says is told once, in one message, and not in a maintenance window."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from exporter.answers.once import AskedOnce
from exporter.notify import outbox
from exporter.notify.episodes import remember
from exporter.notify.news import News, add_incidents, checks_in_maintenance
from exporter.notify.notices import announce, read_news
from exporter.notify.outbox import Notice
from exporter.reporting.results import FileResult, RunResult
from ingest.root import Root
from tests.published import publish

NOW = datetime(2025, 10, 28, 5)
SETTINGS = "g/analytics/settings/maintenance_windows.csv"


@pytest.fixture
def root(empty_root: Path, monkeypatch: pytest.MonkeyPatch) -> Root:
    monkeypatch.setenv("OPS_ATOMIC_NOTIFY", "json://127.0.0.1:1")
    at(monkeypatch, NOW)
    return Root(empty_root)


def at(monkeypatch: pytest.MonkeyPatch, now: datetime) -> None:
    monkeypatch.setenv("OPS_ATOMIC_AS_OF", f"{now.isoformat()}Z")


def incident(
    check: str, start: datetime, end: datetime | None = None, now: datetime = NOW
) -> dict[str, Any]:
    return {
        "machine": "m",
        "check_key": check,
        "started_at": start,
        "ended_at": end,
        "is_open": end is None,
        "duration_s": ((end or now) - start).total_seconds(),
        "heartbeats_down": 0 if check == "monitor" else 3,
        "cause": f"{check} refused",
    }


def read(root: Root, result: RunResult) -> News | None:
    with AskedOnce(root) as asked:
        return read_news(root, result, asked)


def told(root: Root, *incidents: dict[str, Any], **marts: Any) -> Notice | None:
    """What a run says that has published these."""
    publish(root.path, "incidents", incidents)
    for name, rows in marts.items():
        publish(root.path, name, rows)
    result = RunResult(started=NOW)
    result.files.append(FileResult("ops_atomic", "2025-10-28", "", "exported"))
    before = {path for path, _ in outbox.waiting(root)}
    assert announce(root, result, read(root, result)) is None
    fresh = [kept for path, kept in outbox.waiting(root) if path not in before]
    assert len(fresh) <= 1
    return fresh[0] if fresh else None


def lines(notice: Notice | None) -> list[str]:
    assert notice is not None
    return notice.text.split("\n\nSummary: ")[0].splitlines()


def test_an_incident_is_told_when_it_opens_and_when_it_ends(
    root: Root, monkeypatch: pytest.MonkeyPatch
) -> None:
    start, end = NOW - timedelta(hours=2, minutes=3), NOW + timedelta(minutes=7)
    first = told(root, incident("redis", start))
    assert first is not None
    assert first.level == "failure"
    assert first.title.endswith(": redis is down")
    assert lines(first) == [
        "redis down since 2025-10-28 02:57 (2 h 3 min): redis refused"
    ]
    assert told(root, incident("redis", start)) is None
    at(monkeypatch, NOW + timedelta(minutes=10))
    over = told(root, incident("redis", start, end))
    assert over is not None
    assert (over.level, over.title.rpartition(": ")[2]) == (
        "success",
        "an incident is over",
    )
    assert lines(over) == [
        "Over: redis down for 2 h 10 min, from 2025-10-28 02:57: redis refused"
    ]
    assert told(root, incident("redis", start, end)) is None


def test_what_is_long_over_is_no_news_and_what_is_new_comes_in_one_message(
    root: Root, monkeypatch: pytest.MonkeyPatch
) -> None:
    hour = timedelta(hours=1)
    history = [
        incident("redis", NOW - 90 * 24 * hour, NOW - 89 * 24 * hour),
        incident("api", NOW - 30 * hour, NOW - 3 * hour),
        incident("overall", NOW - 30 * hour, NOW - 3 * hour),  # of which api tells
        incident("monitor", NOW - 5 * hour, NOW - 5 * hour + timedelta(seconds=2)),
        incident("monitor", NOW - 10 * hour, NOW - 9 * hour),
        incident("database", NOW - hour),
        incident("api", NOW - 2 * hour),
    ]
    first = told(root, *history)
    assert first is not None
    assert first.title.endswith(": api is down (and 1 more)")
    assert lines(first) == [
        "api down since 2025-10-28 03:00 (2 h): api refused",
        "database down since 2025-10-28 04:00 (1 h): database refused",
        "Came and went: api down for 27 h, from 2025-10-26 23:00: api refused",
        "Came and went: no heartbeat for 1 h, from 2025-10-27 19:00",
    ]
    at(monkeypatch, NOW + hour)
    assert told(root, *history) is None
    at(monkeypatch, NOW + 2 * hour)
    later = incident("redis", NOW + hour, NOW + hour + timedelta(minutes=20))
    assert lines(told(root, *history, later)) == [
        "Came and went: redis down for 20 min, from 2025-10-28 06:00: redis refused"
    ]
    assert told(root, *history, later) is None


def test_a_maintenance_window_is_silent(
    root: Root, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = root.path / SETTINGS
    place.parent.mkdir(parents=True)
    head = "check_key,started_at,ended_at\n"
    place.write_text(f"{head}redis,2025-10-28T04:00:00Z,2025-10-28T06:00:00Z\n")
    start = NOW - timedelta(hours=2)
    both = [incident("api", start), incident("redis", start)]
    assert lines(told(root, *both)) == [
        "api down since 2025-10-28 03:00 (2 h): api refused"
    ]
    place.write_text(f"{head}*,2025-10-28T04:00:00Z,2025-10-28T06:00:00Z\n")
    assert told(root, *both) is None
    ended = [incident("api", start, NOW), incident("redis", start)]
    assert told(root, *ended) is None
    at(monkeypatch, datetime(2025, 10, 28, 6))
    assert lines(told(root, *ended)) == [
        "redis down since 2025-10-28 03:00 (2 h): redis refused",
        "Over: api down for 2 h, from 2025-10-28 03:00: api refused",
    ]


def slo(check: str, period: str, **more: Any) -> dict[str, Any]:
    return {
        "machine": "m",
        "check_key": check,
        "period": period,
        "target": 0.99,
        "uptime_observed": 0.9856,
        "is_breached": False,
        "observed_1h_s": 1800.0,
        "observed_6h_s": 10800.0,
        **more,
    }


def test_a_rate_of_seconds_is_not_told(root: Root) -> None:
    rows = [
        slo("api", "30d", burn_rate_1h=51.0, observed_1h_s=70.0),
        slo("redis", "30d", burn_rate_6h=50.0, observed_6h_s=10799.0),
        slo("disk", "30d", burn_rate_1h=50.0, observed_1h_s=1799.0, burn_rate_6h=7.0),
    ]
    notice = told(root, slo_status=rows)
    assert notice is not None
    (line,) = lines(notice)
    assert line.startswith("disk: its budget of downtime is used 7 times as fast as")


def test_a_notice_names_the_machine_as_the_marts_do(
    root: Root, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPS_ATOMIC_MACHINE", "mac-mini.office")
    notice = told(root, slo_status=[slo("api", "30d", is_breached=True)])
    assert notice is not None
    assert notice.title.startswith("ops-atomic on mac-mini.office: ")
    monkeypatch.setenv("OPS_ATOMIC_MACHINE", "no name")
    record_machine_name(root, "recorded")
    notice = told(root, slo_status=[slo("redis", "30d", is_breached=True)])
    assert notice is not None
    assert notice.title.startswith("ops-atomic on recorded: ")


def record_machine_name(root: Root, name: str) -> None:
    (root.state / "machine").write_text(f"{name}\n", encoding="ascii")


def test_targets_queries_and_forecasts_are_told_once(root: Root) -> None:
    query = {
        "machine": "m", "kind": "query", "verdict": "regressed", "p95_before_ms": 10.0,
        "p95_after_ms": 30.0, "ratio": 3.0, "executions_before": 50,
        "executions_after": 50,
    }  # fmt: skip
    marts = {
        "slo_status": [
            slo("api", "7d", is_breached=True),
            slo("api", "30d", is_breached=True, burn_rate_1h=20.0, burn_rate_6h=3.0),
            slo("redis", "30d", burn_rate_1h=10.0, burn_rate_6h=5.0),
        ],
        "query_regressions": [
            {**query, "query_key": f"q{number}", "ratio": 9.0 - number}
            for number in range(7)
        ]
        + [{**query, "query_key": "well", "verdict": "stable"}],
        "metric_forecast": [
            {
                "machine": "m", "metric": "stored_bytes", "series": "all",
                "horizon_days": 30, "forecast_date": date(2025, 11, 26),
                "days_of_history": 40, "slope_per_day": 1e8, "forecast": 5.5e9,
            }
        ],
    }  # fmt: skip
    first = told(root, **marts)
    assert first is not None
    assert first.level == "warning"
    assert lines(first) == [
        "api: its budget of downtime is used 20 times as fast as its target of 99.00% "
        "allows",
        "api misses its target of 99.00%: 7d 98.56%, 30d 98.56%",
        *(
            f"query q{number} got slower: p95 10.0 → 30.0 ms ({9.0 - number} times)"
            for number in range(5)
        ),
        "Forecast: storage reaches 5 GB around 2025-11-21.",
        "and 2 more got slower",
    ]
    assert told(root, **marts) is None
    # Over, which is no news, and there again, which is.
    assert told(root, slo_status=[slo("api", "7d")]) is None
    assert lines(told(root, **marts))[0].startswith("api: its budget")


def test_nobody_is_told_where_nothing_was_published(
    root: Root, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(root.path, "incidents", [incident("redis", NOW - timedelta(hours=1))])
    assert read(root, RunResult(started=NOW)) is None
    published = RunResult(started=NOW)
    published.files.append(FileResult("ops_atomic", "2025-10-28", "", "exported"))
    assert read(root, published) is not None
    monkeypatch.delenv("OPS_ATOMIC_NOTIFY")
    assert read(root, published) is None


def test_a_mart_that_cannot_be_read_is_an_error_that_says_so(root: Root) -> None:
    publish(root.path, "incidents", [incident("redis", NOW)])
    (root.path / "g/analytics/marts/incidents.parquet").write_bytes(b"PAR1")
    published = RunResult(started=NOW)
    published.files.append(FileResult("ops_atomic", "2025-10-28", "", "exported"))
    with pytest.raises(OSError, match="what the marts say is not told"):
        read(root, published)


def test_the_order_of_rows_is_no_matter() -> None:
    rows = [incident("b", NOW), incident("a", NOW), incident("c", NOW, NOW)]
    said = []
    for order in (rows, rows[::-1]):
        news = News()
        add_incidents(news, order, {}, NOW + timedelta(hours=1))
        said.append((list(news.standing.items()), list(news.passed.items())))
    assert said[0] == said[1]
    assert [key.split()[0] for key, _ in said[0][0]] == ["incident:a", "incident:b"]


def test_what_came_and_went_before_a_window_is_told_after_it(
    root: Root, monkeypatch: pytest.MonkeyPatch
) -> None:
    minute = timedelta(minutes=1)
    gone = incident("redis", NOW - 60 * minute, NOW - 50 * minute)
    at(monkeypatch, NOW - 65 * minute)
    assert told(root) is None
    path = root.path / SETTINGS
    path.parent.mkdir(parents=True)
    path.write_text(
        "check_key,started_at,ended_at,reason\n"
        f"redis,{NOW - 40 * minute}Z,{NOW - 20 * minute}Z,disk\n"
    )
    other = incident("api", NOW - 45 * minute, NOW - 42 * minute)
    at(monkeypatch, NOW - 30 * minute)
    assert lines(told(root, gone, other)) == [
        "Came and went: api down for 3 min, from 2025-10-28 04:15: api refused"
    ]
    assert told(root, gone, other) is None
    at(monkeypatch, NOW)
    assert lines(told(root, gone, other)) == [
        "Came and went: redis down for 10 min, from 2025-10-28 04:00: redis refused"
    ]
    assert told(root, gone, other) is None


@pytest.mark.parametrize(
    ("end", "cause", "window", "is_told"),
    [
        (None, "redis: gone", "04:10:00Z,2025-10-28T06:00:00Z", False),
        (None, "redis: gone", "03:00:00Z,", False),
        (NOW, "redis: gone", "04:10:00Z,2025-10-28T04:40:00Z", False),
        # It began when this was over.
        (NOW, "redis: gone", "05:00:00Z,2025-10-28T06:00:00Z", True),
        (NOW, "redis: gone", "03:00:00Z,2025-10-28T04:00:00Z", True),
        (None, "redis/disk: full", "03:00:00Z,", True),
        (None, None, "03:00:00Z,", True),
    ],
)
def test_the_whole_is_not_told_for_a_check_in_maintenance(
    end: datetime | None, cause: str | None, window: str, is_told: bool, root: Root
) -> None:
    start = NOW - timedelta(hours=1)
    path = root.path / SETTINGS
    path.parent.mkdir(parents=True)
    path.write_text(
        "check_key,started_at,ended_at,reason\n"
        f"redis,2025-10-28T{window},disk\n"
        "api,2025-10-28T00:00:00Z,,another\n"
    )
    whole = incident("overall", start, end) | {"cause": cause}
    assert bool(told(root, whole)) == is_told


def test_a_window_holds_from_its_start_until_before_its_end() -> None:
    window = {"check_key": "api", "started_at": "2025-10-28 04:00:00.000000"}

    def held(now: datetime, end: str | None) -> frozenset[str]:
        return checks_in_maintenance([{**window, "ended_at": end}], now)

    end = "2025-10-28 05:00:00.000000"
    assert held(NOW - timedelta(hours=1), end) == {"api"}
    assert held(NOW, end) == held(NOW - timedelta(hours=2), end) == frozenset()
    assert held(NOW, None) == {"api"}


def test_what_the_monitor_told_at_once_is_not_told_again(
    root: Root, monkeypatch: pytest.MonkeyPatch
) -> None:
    start, hour = NOW - timedelta(hours=2), timedelta(hours=1)
    remember(root, [("redis", start), ("api", start - 9 * hour)])
    redis, whole = incident("redis", start), incident("overall", start)
    # The whole is explained by the check that was told.
    assert told(root, redis, whole) is None
    at(monkeypatch, NOW + hour)
    over = incident("redis", start, NOW + timedelta(minutes=5))
    assert told(root, over) is None
    # Another check, and another failure of one that failed before, are news.
    fresh = [incident("database", start), incident("api", start)]
    assert [line.split()[0] for line in lines(told(root, over, *fresh))] == [
        "api",
        "database",
    ]
