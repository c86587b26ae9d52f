"""A root whose marts hold something for every part of the pages."""

from __future__ import annotations

import itertools
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from exporter.answers.ask import Answers
from exporter.dashboard.write import write_dashboard
from ingest.root import Root
from tests.published import publish

AS_OF = datetime(2025, 10, 28, 12)
MIDNIGHT = datetime(2025, 10, 28)
DAY_S = 86400
CHECKS = (
    "overall", "redis", "database", "api", "launchagent_optimizer",
    "launchagent_digest", "disk/root",
)  # fmt: skip
M = {"machine": "lab"}


def make_pages(root: Path) -> Path:
    """Write the pages of a root; returns the path of the operator's."""
    with Answers(Root(root)) as answers:
        return write_dashboard(answers)


def fill(root: Path, days: int = 100, said: str = "connection refused") -> None:
    """Publish marts up to AS_OF: redis is down since 11:30, and says `said`.

    The texts that operators and programs write are `said` wherever one may stand.
    """
    publish(root, "check_states", _spans(days, said))
    publish(root, "incidents", _incidents(days, said))
    publish(root, "slo_status", _targets())
    publish(root, "reliability_summary", [_reliability(key) for key in CHECKS])
    publish(root, "dataset_freshness", [_source("heartbeats", 60), _source("x", 1e6)])
    publish(root, "metric_anomalies", _hours(days))
    publish(root, "query_perf_daily", _queries(days))
    text = {"query_hash": "q1", "query_text": said, "last_seen": AS_OF}
    publish(root, "query_texts", [text | {"date_partition": AS_OF.date()}])
    publish(root, "workload_daily", _work(days, said))
    publish(root, "query_regressions", [verdict("regressed", said, 2.5)])
    publish(root, "index_advice_lifecycle", [_advice(said, True), _advice("b", False)])
    publish(root, "storage_daily", _storage(days))
    publish(root, "data_quality_daily", _quality(days))
    publish(root, "rejected_records", [_reject(ago, said) for ago in range(3)])
    drift = {"source": "query_rows", "source_file": "f.csv", "kind": "added"}
    day = {"date_partition": AS_OF.date()}
    publish(root, "schema_drift", [drift | day | {"name": said}])
    publish(root, "metric_forecast", [_forecast(metric) for metric in METRICS])
    publish(root, "export_runs", [_run(hour, said) for hour in range(5)])
    period = {"period": "7d", "runs": 5, "successful_runs": 4, "success_rate": 0.8}
    publish(root, "run_reliability", [M | period | {"last_run_at": AS_OF}])


METRICS = ("stored_bytes", "rows", "query_total_ms", "query_p95_ms")


def _spans(days: int, said: str) -> list[dict[str, Any]]:
    rows = []
    for key in CHECKS:
        for ago in range(days - 1, -1, -1):
            start = MIDNIGHT - timedelta(days=ago)
            end = start + timedelta(days=1) if ago else AS_OF
            cuts: list[tuple[datetime, str, str | None]]
            cuts = [(start, "up", None), (end, "", None)]
            if key in ("overall", "redis") and ago % 9 == 0:
                bad = end - timedelta(minutes=30)
                cuts[1:1] = [(bad, "down", said)]
            if key == "api" and ago % 13 == 1:
                cuts[1:1] = [(start + timedelta(hours=5), "degraded", "slow")]
            if key == "database" and ago % 30 == 2:
                cuts[1:1] = [(start + timedelta(hours=2), "maintenance", "upgrade")]
            for (at, state, message), (until, *_) in itertools.pairwise(cuts):
                known = {"check_key": key, "state": state, "message": message}
                times = {"started_at": at, "ended_at": until}
                seconds = (until - at).total_seconds()
                last = {"last_heartbeat_at": until - timedelta(minutes=3)}
                day = {"duration_s": seconds, "date_partition": start.date()}
                rows.append(M | known | times | last | day)
    return rows


def _incidents(days: int, said: str) -> list[dict[str, Any]]:
    rows = []
    for key in ("overall", "redis"):
        for ago in range(0, days, 9):
            end = MIDNIGHT - timedelta(days=ago - 1) if ago else AS_OF
            start = end - timedelta(minutes=30)
            over = {"ended_at": end if ago else None, "is_open": not ago}
            told = {"duration_s": 1800.0, "heartbeats_down": 6, "cause": said}
            rows.append(M | {"check_key": key, "started_at": start} | over | told)
    return rows


def _targets() -> list[dict[str, Any]]:
    budget = {"target": 0.99, "error_budget_s": 3600.0, "coverage": 1.0}
    kept = {"uptime_observed": 0.9951234567, "uptime_strict": 0.995}
    used = {"budget_left_s": 1234.0, "burn_rate_1h": 50.0, "burn_rate_6h": 8.0}
    return [
        M | {"check_key": key, "period": period, "is_breached": False}
        | budget | kept | used
        for key in CHECKS
        for period in ("7d", "30d", "90d", "month")
    ]  # fmt: skip


def _reliability(key: str) -> dict[str, Any]:
    figures = {"incidents": 3, "mttr_s": 1800.0, "longest_outage_s": 1800.0}
    return M | {"check_key": key, "period": "90d", "flaps_per_day": 0.1} | figures


def _source(name: str, age_s: float) -> dict[str, Any]:
    last = {"last_record_at": AS_OF - timedelta(seconds=age_s), "age_s": age_s}
    judged = {"allowed_age_s": 3600.0, "is_stale": age_s > 3600}
    status = {"status": "stale" if age_s > 3600 else "fresh"}
    return M | {"source": name, "dataset": "ops_atomic"} | last | judged | status


def _hours(days: int) -> list[dict[str, Any]]:
    rows = []
    for hour in range(min(days, 20) * 24):
        odd = hour % 50 == 7
        figures = {"value": 300.0 if odd else 60.0 + hour % 7, "expected": 62.0}
        judged = {"robust_z": 30.0 if odd else 0.5, "is_anomaly": odd}
        what = {"metric": "heartbeat_duration_ms", "series": "all", "grain": "hour"}
        at = {"observed_at": AS_OF - timedelta(hours=hour + 1)}
        rows.append(M | what | at | figures | judged)
    return rows


def _queries(days: int) -> list[dict[str, Any]]:
    return [
        M | {"query_hash": f"q{number}", "executions": 10, "total_ms": 100.0 * number}
        | {"p95_ms": 20.0 * number, "max_ms": 50.0 * number, "day_p95_ms": 42.5}
        | {"rows_examined": 100.0, "rows_returned": 10.0}
        | {"date_partition": (MIDNIGHT - timedelta(days=ago)).date()}
        for ago in range(days)
        for number in (1, 2, 3)
    ]  # fmt: skip


def _work(days: int, said: str) -> list[dict[str, Any]]:
    return [
        M | {"table_name": name, "query_type": "SELECT", "executions": 5}
        | {"total_ms": 300.0, "date_partition": (MIDNIGHT - timedelta(days=ago)).date()}
        for ago in range(days)
        for name in (said, "users", None)
    ]  # fmt: skip


def verdict(verdict: str, key: str, ratio: float) -> dict[str, Any]:
    before = {"p95_before_ms": 10.0, "executions_before": 200}
    after = {"p95_after_ms": 10.0 * ratio, "executions_after": 50}
    told = {"kind": "pattern", "query_key": key, "verdict": verdict, "ratio": ratio}
    return M | told | before | after


def _advice(name: str, is_open: bool) -> dict[str, Any]:
    what = {"table_name": name, "recommended_index": f"idx_{name}", "reports": 3}
    seen = {"first_seen": MIDNIGHT - timedelta(days=40), "last_seen": MIDNIGHT}
    effect = {"p95_before_ms": 20.0, "p95_after_ms": 5.0, "effect_ratio": 0.25}
    closed = {"closed_at": MIDNIGHT} | effect if not is_open else {}
    return M | what | seen | {"is_open": is_open, "query_pattern": name} | closed


def _storage(days: int) -> list[dict[str, Any]]:
    return [
        M | {"dataset": name, "row_count": 288, "files": 288}
        | {"source_bytes": 100_000, "parquet_bytes": 8_000}
        | {"date_partition": (MIDNIGHT - timedelta(days=ago)).date()}
        for ago in range(days)
        for name in ("ops_atomic", "query_perf")
    ]  # fmt: skip


def _quality(days: int) -> list[dict[str, Any]]:
    return [
        M | {"dataset": "ops_atomic", "landed": 289, "published": 288}
        | {"duplicates": 0, "rejected": 1, "rejected_share": 1 / 289}
        | {"date_partition": (MIDNIGHT - timedelta(days=ago)).date()}
        for ago in range(days)
    ]  # fmt: skip


def _reject(ago: int, said: str) -> dict[str, Any]:
    day = {"date_partition": (MIDNIGHT - timedelta(days=ago)).date()}
    return {"dataset": "query_perf", "raw": said, "reason": said} | day


def _forecast(metric: str) -> dict[str, Any]:
    ahead = {"series": "all", "horizon_days": 30, "days_of_history": 99}
    when = {"forecast_date": (MIDNIGHT + timedelta(days=29)).date()}
    what = {"forecast": 2e6, "lower_80": 1.8e6, "upper_80": 2.3e6, "slope_per_day": 1.0}
    return M | {"metric": metric} | ahead | when | what


def _run(hour: int, said: str) -> dict[str, Any]:
    started = {"started_at": AS_OF - timedelta(hours=hour), "duration_s": 12.5}
    went = {"status": "partial" if hour == 3 else "ok", "started_by": "agent"}
    told = {"first_error": said if hour == 3 else None, "exported_files": 13}
    return M | started | went | told | {"command": "export", "exit_code": 0}
