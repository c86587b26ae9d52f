"""The answers, over marts of a few rows that were worked out by hand."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from exporter.answers.ask import Answers, answer_names
from ingest.root import Root
from tests.published import day_of_query, publish, publish_as_of

AS_OF = datetime(2025, 10, 28, 12)
DAY = AS_OF.date()


def at(hour: float, days_ago: int = 0) -> datetime:
    midnight = datetime(2025, 10, 28) - timedelta(days=days_ago)
    return midnight + timedelta(hours=hour)


def span(key: str, state: str, start: datetime, end: datetime, **more: Any) -> Any:
    return {
        "machine": "m",
        "check_key": key,
        "state": state,
        "started_at": start,
        "ended_at": end,
        "duration_s": (end - start).total_seconds(),
        "last_heartbeat_at": start,
        "date_partition": start.date(),
        **more,
    }


def row_of(rows: list[dict[str, Any]], **cells: Any) -> dict[str, Any]:
    (found,) = [row for row in rows if cells.items() <= row.items()]
    return found


@pytest.mark.parametrize("name", answer_names())
def test_a_fresh_root_has_an_answer(tmp_path: Path, name: str) -> None:
    with Answers(Root(tmp_path)) as answers:
        rows = answers.rows(name)
    if name == "status":
        (row,) = rows
        assert row["state"] is None
        assert row["open_incidents"] == 0
    elif name == "incident_counts":
        assert {row["incidents"] + row["short_gaps"] for row in rows} == {0}
    else:
        assert rows == []


def test_the_marts_own_moment_is_the_present_one(tmp_path: Path) -> None:
    publish_as_of(tmp_path, AS_OF)
    with Answers(Root(tmp_path)) as answers:
        assert answers.as_of == AS_OF


def test_a_state_goes_back_over_midnights(tmp_path: Path) -> None:
    publish_as_of(tmp_path, AS_OF)
    publish(
        tmp_path,
        "check_states",
        [
            span("redis", "up", at(0, 2), at(20, 2)),
            span("redis", "down", at(20, 2), at(0, 1), message="refused"),
            span("redis", "down", at(0, 1), at(0, 0), message="timed out"),
            span("redis", "down", at(0, 0), AS_OF),
        ],
    )
    with Answers(Root(tmp_path)) as answers:
        (check,) = answers.rows("checks")
        (status,) = answers.rows("status")
    assert (check["state"], check["since"]) == ("down", at(20, 2))
    assert check["message"] == "refused"
    assert (status["state"], status["cause"]) == ("down", "refused")
    assert (status["checks_down"], status["checks_up"]) == (1, 0)


def test_after_the_last_heartbeat_nothing_is_known(tmp_path: Path) -> None:
    publish_as_of(tmp_path, AS_OF)
    publish(tmp_path, "check_states", [span("redis", "up", at(0, 3), at(0, 2))])
    with Answers(Root(tmp_path)) as answers:
        (check,) = answers.rows("checks")
        days = [row for row in answers.rows("uptime") if row["grain"] == "day"]
    assert (check["state"], check["since"]) == ("unknown", at(0, 2))
    assert [(row["started_at"], row["up_s"], row["unknown_s"]) for row in days] == [
        (at(0, 3), 86400, 0),
        (at(0, 2), 0, 86400),
        (at(0, 1), 0, 86400),
        (at(0, 0), 0, 43200),
    ]


def test_a_check_that_was_given_up_is_no_current_one(tmp_path: Path) -> None:
    publish_as_of(tmp_path, AS_OF)
    spans = [
        span("disk/old", "down", at(0, 1), at(0, 0)),
        span("redis", "up", at(0, 0), AS_OF),
    ]
    publish(tmp_path, "check_states", spans)
    with Answers(Root(tmp_path)) as answers:
        assert [row["check_key"] for row in answers.rows("checks")] == ["redis"]
        assert {row["check_key"] for row in answers.rows("uptime")} == {
            "redis",
            "disk/old",
        }


def test_hours_split_the_spans(tmp_path: Path) -> None:
    publish_as_of(tmp_path, AS_OF)
    spans = [
        span("redis", "up", at(0, 0), at(9.75)),
        span("redis", "down", at(9.75), at(10.5)),
        span("redis", "maintenance", at(10.5), AS_OF),
    ]
    publish(tmp_path, "check_states", spans)
    with Answers(Root(tmp_path)) as answers:
        hours = [row for row in answers.rows("uptime") if row["grain"] == "hour"]
    nine = row_of(hours, started_at=at(9))
    ten = row_of(hours, started_at=at(10))
    assert (nine["up_s"], nine["down_s"]) == (2700, 900)
    assert nine["uptime_observed"] == 0.75
    assert (ten["down_s"], ten["maintenance_s"]) == (1800, 1800)
    assert ten["ended_at"] == at(11)


@pytest.mark.parametrize(("days", "grain"), [(60, "week"), (900, "month")])
def test_the_whole_history_is_told_in_few_stretches(
    tmp_path: Path, days: int, grain: str
) -> None:
    publish_as_of(tmp_path, AS_OF)
    spans = [
        span("redis", "up", at(0, ago), min(at(0, ago - 1), AS_OF))
        for ago in (days, *range(2, -1, -1))
    ]
    publish(tmp_path, "check_states", spans)
    with Answers(Root(tmp_path)) as answers:
        rows = answers.rows("uptime")
    long = [row for row in rows if row["grain"] in ("week", "month")]
    assert {row["grain"] for row in long} == {grain}
    assert sum(row["up_s"] for row in long) == 3 * 86400 + 43200


def test_a_range_sums_its_days(tmp_path: Path) -> None:
    publish_as_of(tmp_path, AS_OF)
    publish(
        tmp_path,
        "query_perf_daily",
        day_of_query(DAY, 4) + day_of_query(date(2025, 9, 1), 8),
    )
    text = {"query_hash": "q1", "query_text": "select 1", "date_partition": DAY}
    publish(tmp_path, "query_texts", [text | {"last_seen": at(9)}])
    with Answers(Root(tmp_path)) as answers:
        rows = answers.rows("queries")
    today, ever = row_of(rows, period="7d"), row_of(rows, period="all")
    assert (today["executions"], today["p95_ms"]) == (2, 4)
    assert (ever["executions"], ever["p95_ms"], ever["max_ms"]) == (4, 6, 8)
    assert ever["query_text"] == "select 1"
    assert ever["examined_per_returned"] == 3


def test_what_does_not_fit_goes_to_the_disk_and_is_gone_in_the_end(
    tmp_path: Path,
) -> None:
    root = Root(tmp_path)
    with Answers(root) as answers:
        found = answers.db.execute(
            "select current_setting('memory_limit'), current_setting('temp_directory')"
        )
        assert found.fetchall() == [("128.0 MiB", str(answers.spilled))]
        answers.db.execute("set memory_limit = '16MiB'")
        much = "select md5(i::varchar) from range(1_000_000) t(i)"
        answers.db.execute(f"create temp table much as {much}")
        assert any(answers.spilled.iterdir())
    assert not root.staging.exists()
