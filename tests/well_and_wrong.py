"""Marts of one check, query and source, as files of a root: all well, or all wrong."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from tests.published import publish

ODD_NAME = 'a "quoted"\nname\\'


def publish_well_or_wrong(root: Path, is_well: bool, as_of: datetime) -> None:
    """Write the marts that say so as of a moment of the afternoon, UTC."""
    age = timedelta(minutes=5 if is_well else 60 * 24 * 3)
    since = as_of - timedelta(hours=2)
    day = {"machine": "m", "date_partition": as_of.date()}
    redis: dict[str, Any] = {"machine": "m", "check_key": "redis"}

    publish(
        root,
        "check_states",
        [
            day
            | redis
            | {
                "check_key": key,
                "state": state,
                "started_at": since,
                "ended_at": as_of,
                "duration_s": 7200.0,
                "last_heartbeat_at": as_of - age,
            }
            for key, state in (
                ("redis", "up" if is_well else "down"),
                (ODD_NAME, "degraded"),
            )
        ],
    )
    slo = {
        "target": 0.99,
        "uptime_observed": 0.999 if is_well else 0.5,
        "coverage": 1.0,
        "error_budget_s": 6048.0,
        "budget_left_s": 5443.2 if is_well else -296352.0,
        "burn_rate_1h": 0.1 if is_well else 50.0,
        "burn_rate_6h": 0.1 if is_well else 50.0,
        "is_breached": not is_well,
        "observed_1h_s": 3600.0,
        "observed_6h_s": 21600.0,
    }
    publish(root, "slo_status", [redis | {"period": p} | slo for p in ("7d", "30d")])
    incident = {"started_at": since, "is_open": not is_well, "duration_s": 7200.0}
    publish(root, "incidents", [redis | incident])
    publish(root, "reliability_summary", [redis | {"period": "90d", "incidents": 3}])
    ran = {"query_hash": "0123456789ab", "executions": 4, "total_ms": 600.0}
    times = {"p95_ms": 250.0, "max_ms": 300.0, "day_p95_ms": 125.0}
    publish(root, "query_perf_daily", [day | ran | times])
    verdict = "stable" if is_well else "regressed"
    compared = {"machine": "m", "kind": "query", "query_key": "0123456789ab"}
    slower = {"p95_before_ms": 100.0, "p95_after_ms": 250.0, "ratio": 2.5}
    publish(root, "query_regressions", [compared | slower | {"verdict": verdict}])
    publish(
        root,
        "dataset_freshness",
        [
            {
                "machine": "m",
                "source": source,
                "dataset": dataset,
                "last_record_at": as_of - age,
                "age_s": age.total_seconds(),
                "allowed_age_s": 3600.0,
                "is_stale": not is_well,
                "status": "fresh" if is_well else "stale",
            }
            for source, dataset in (
                ("heartbeats", "ops_atomic"),
                ("query_rows", "query_perf"),
            )
        ],
    )
    yesterday = as_of.date() - timedelta(days=1)
    landed = {"machine": "m", "dataset": "query_perf", "landed": 20}
    publish(
        root,
        "data_quality_daily",
        [landed | {"date_partition": each} for each in (as_of.date(), yesterday)],
    )
    rejects = {as_of.date(): 0 if is_well else 5, yesterday: 20}
    publish(
        root,
        "rejected_records",
        [
            {"dataset": "query_perf", "reason": "empty", "date_partition": each}
            for each, number in rejects.items()
            for _ in range(number)
        ],
    )
    forecast = {"series": "all", "horizon_days": 90, "lower_80": 1e9, "forecast": 2e9}
    upper = {"upper_80": 3e9 if is_well else 6e9}
    publish(
        root,
        "metric_forecast",
        [
            {"machine": "m", "metric": metric} | forecast | upper
            for metric in ("stored_bytes", "rows")
        ],
    )
