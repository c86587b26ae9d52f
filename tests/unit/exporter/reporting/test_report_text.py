"""Reports over marts of a few rows that were worked out by hand."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from exporter.answers.ask import Answers
from exporter.reporting.period import Period, day_before
from exporter.reporting.report_text import of_now, of_period, of_run
from ingest.root import Root
from tests.published import publish
from tests.well_and_wrong import publish_well_or_wrong

AS_OF = datetime(2025, 10, 29, 12)
PERIOD = day_before(AS_OF)


def at(day: int, hour: float) -> datetime:
    return datetime(2025, 10, day) + timedelta(hours=hour)


def run(started: datetime, status: str = "ok", *errors: str) -> dict[str, Any]:
    return {
        "started_at": f"{started:%Y-%m-%dT%H:%M:%SZ}",
        "status": status,
        "errors": list(errors),
    }


def span(key: str, state: str, start: datetime, end: datetime) -> dict[str, Any]:
    return {
        "machine": "m",
        "check_key": key,
        "state": state,
        "started_at": start,
        "ended_at": end,
        "date_partition": start.date(),
    }


def incident(key: str, start: datetime, minutes: float, **more: Any) -> dict[str, Any]:
    return {
        "machine": "m",
        "check_key": key,
        "started_at": start,
        "is_open": False,
        "duration_s": minutes * 60,
        "cause": f"{key} is\ngone",
        **more,
    }


def told(root: Path, period: Period = PERIOD, *runs: dict[str, Any]) -> list[str]:
    with Answers(Root(root)) as answers:
        lines = of_period(answers, period, list(runs))
    return lines[lines.index("") + 1 :]


def fresh(root: Path) -> None:
    """A source that was just heard: it says as of when all is reckoned."""
    seen = {"machine": "m", "source": "heartbeats", "dataset": "ops_atomic"}
    age = {"last_record_at": AS_OF, "age_s": 0.0, "is_stale": False}
    publish(root, "dataset_freshness", [seen | age])


def test_of_a_fresh_root_there_is_little_to_tell(tmp_path: Path) -> None:
    with Answers(Root(tmp_path)) as answers:
        assert of_now(answers)[1:] == ["- 0 of 0 checks are up"]
    assert told(tmp_path) == [
        "Incidents: 0 (as before)",
        "Records: 0",
        "Rejects: 0",
        "Runs: 0",
    ]


def test_what_is_wrong_now_is_said_first(tmp_path: Path) -> None:
    publish_well_or_wrong(tmp_path, is_well=False, as_of=AS_OF)
    with Answers(Root(tmp_path)) as answers:
        lines = of_now(answers)
    assert lines[0] == "Now (2025-10-29 12:00 UTC):"
    assert "- redis is down since 2025-10-29 10:00" in lines
    assert "- 0 of 2 checks are up" in lines
    assert "- redis is below its target: up 50.00% of 30 days, not 99.00%" in lines
    assert "- Nothing of query_rows since 2025-10-26 12:00" in lines
    assert "- query 0123456789ab got slower: p95 100 ms → 250 ms" in lines


def test_of_many_that_are_wrong_some_are_counted(tmp_path: Path) -> None:
    fresh(tmp_path)
    keys = [f"disk/d{number}" for number in range(7)]
    publish(
        tmp_path,
        "check_states",
        [span(key, "down", at(29, 0), AS_OF) for key in keys],
    )
    with Answers(Root(tmp_path)) as answers:
        lines = of_now(answers)[1:]
    assert len(lines) == 6
    assert lines[-1] == "- and 3 more"


def test_numbers_are_told_with_their_change(tmp_path: Path) -> None:
    fresh(tmp_path)
    day, before = at(28, 0), at(27, 0)
    publish(
        tmp_path,
        "check_states",
        [
            span("overall", "up", before, day),
            # An hour of 24 was down, and one was not observed.
            span("overall", "up", day, at(28, 22)),
            span("overall", "down", at(28, 22), at(28, 23)),
            span("overall", "unknown", at(28, 23), at(29, 0)),
            span("api", "up", before, day),
            span("api", "up", day, at(29, 0)),
        ],
    )
    publish(
        tmp_path,
        "incidents",
        [
            incident("api", at(27, 23.9), 90),
            incident("redis", at(28, 1), 0.5),
            incident("overall", at(28, 22), 61),
            incident("disk", at(28, 23), 2, is_open=True),
            incident("later", at(29, 0), 2),
        ],
    )
    ran = {"machine": "m", "query_hash": "a", "total_ms": 1.0, "max_ms": 1.0}
    publish(
        tmp_path,
        "query_perf_daily",
        [
            ran | {"date_partition": d.date(), "executions": n, "day_p95_ms": p95_ms}
            for d, n, p95_ms in ((before, 200, 80.0), (day, 250, 100.0))
        ],
    )
    landed = {"machine": "m", "dataset": "query_perf"}
    publish(
        tmp_path,
        "data_quality_daily",
        [
            landed | {"date_partition": d.date(), "landed": n}
            for d, n in ((before, 400), (day, 300))
        ],
    )
    publish(
        tmp_path,
        "rejected_records",
        [
            {"dataset": "query_perf", "reason": "empty", "date_partition": d.date()}
            for d, n in ((before, 5), (day, 3))
            for _ in range(n)
        ],
    )
    stored = {"machine": "m", "dataset": "query_perf", "row_count": 1, "files": 1}
    publish(
        tmp_path,
        "storage_daily",
        [
            stored | {"date_partition": d.date(), "parquet_bytes": size}
            for d, size in ((before, 2048), (day, 1024), (at(29, 0), 9999))
        ],
    )
    runs = [
        run(at(27, 3)),
        run(at(28, 3)),
        run(at(28, 4), "failed", "disk\nfull"),
        run(at(29, 0)),
    ]
    assert told(tmp_path, PERIOD, *runs) == [
        "overall: up 95.65% of the observed time (-4.35 points)",
        "Incidents: 3 (+2)",
        "- disk at 2025-10-28 23:00, not over: disk is gone",
        "- overall at 2025-10-28 22:00, 1 h 1 min: overall is gone",
        "- redis at 2025-10-28 01:00, 30 s: redis is gone",
        "Queries: 250 (+25%)",
        "Their p95: 100.0 ms (+25%)",
        "Records: 300 (-25%)",
        "Rejects: 3 (-2)",
        "Published Parquet: 3 KB (+1 KB)",
        "Runs: 2 (+1)",
        "- failed at 04:00: disk full",
    ]


def test_late_heartbeats_are_counted_and_not_named(tmp_path: Path) -> None:
    fresh(tmp_path)
    late = [incident("monitor", at(28, hour), 1 / 60) for hour in range(12)]
    gaps = [incident("monitor", at(28, 20), 1), incident("redis", at(28, 21), 0.5)]
    publish(tmp_path, "incidents", [*late, *gaps, incident("monitor", at(27, 1), 0.1)])
    assert told(tmp_path)[:4] == [
        "Incidents: 2 (+2)",
        "- monitor at 2025-10-28 20:00, 1 min: monitor is gone",
        "- redis at 2025-10-28 21:00, 30 s: redis is gone",
        "And 12 gaps of under a minute between heartbeats",
    ]


def test_of_many_a_few_are_told_and_long_texts_are_cut(tmp_path: Path) -> None:
    fresh(tmp_path)
    rows = [incident(f"c{n}", at(28, n), n, cause="x" * 10_000) for n in range(1, 8)]
    publish(tmp_path, "incidents", rows)
    lines = told(tmp_path)
    assert lines[0] == "Incidents: 7 (+7)"
    assert lines[1].startswith("- c7 at 2025-10-28 07:00, 7 min: xxx")
    assert lines[6] == "- and 2 more"
    assert max(map(len, lines)) < 200


def test_a_run_is_held_against_the_one_before() -> None:
    run = {
        "landed_records": 1200,
        "exported_files": 5,
        "failed_files": 0,
        "rejected_rows": 1,
        "duration_s": 4.2,
        "errors": ["a: not published"],
        "warnings": [],
    }
    assert of_run(run, run | {"landed_records": 1000, "exported_files": 4}) == [
        "Records read: 1,200 (+20%)",
        "Files written: 5 (+1)",
        "Files failed: 0 (as before)",
        "Rejects in them: 1 (as before)",
        "Seconds: 4 (as before)",
        "- a: not published",
    ]
    assert of_run(run, None)[0] == "Records read: 1,200"
