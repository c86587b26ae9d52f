"""What a run knows of itself and of the store: asks the ledger's counts alone."""

from __future__ import annotations

import os
from datetime import timedelta

from prometheus_client.core import Metric

from exporter import __version__
from exporter.metrics.gauges import gauge, gauges, seconds
from exporter.reporting.results import OK, RunResult
from exporter.reporting.stored import Stored
from exporter.reporting.thresholds import GB, Thresholds

FILES = ("exported", "skipped", "failed")


def run_metrics(result: RunResult, stored: Stored, machine: str) -> list[Metric]:
    """The last run, and what is stored after it."""
    is_ok = result.status == OK
    ended_at = seconds(result.started + timedelta(seconds=result.duration_s))
    limits = Thresholds.from_environment(os.environ)
    success = gauge(
        "last_success_timestamp_seconds",
        "When the last run that went well ended.",
        ended_at,
    )
    return [
        *([success] if is_ok else []),  # else it stays what it was
        gauges(
            "info",
            "Always 1: the machine that the data is of, and the version that last ran.",
            ("machine", "version"),
            [({"machine": machine, "version": __version__}, 1)],
        ),
        gauge("last_run_timestamp_seconds", "When the last run ended.", ended_at),
        gauge(
            "last_run_duration_seconds",
            "How long the last run took.",
            result.duration_s,
        ),
        gauge(
            "last_run_success",
            "Whether the last run went well: 1, or 0 for partial and failed.",
            is_ok,
        ),
        gauge(
            "last_run_landed_records",
            "Records that the last run read for the first time.",
            result.landed_records,
        ),
        gauges(
            "last_run_files",
            "Files of the last run, by what became of them.",
            ("status",),
            [({"status": name}, len(result.with_status(name))) for name in FILES],
        ),
        gauge("last_run_warnings", "Warnings of the last run.", len(result.warnings)),
        gauge("last_run_errors", "Errors of the last run.", len(result.errors)),
        gauges(
            "stored_files",
            "Files that are stored: published Parquet, and parts of the landing.",
            ("kind",),
            [
                ({"kind": "parquet"}, stored.parquet_files),
                ({"kind": "landing"}, stored.landing_files),
            ],
        ),
        gauges(
            "stored_bytes",
            "Bytes that are stored.",
            ("kind",),
            [
                ({"kind": "parquet"}, stored.parquet_bytes),
                ({"kind": "landing"}, stored.landing_bytes),
            ],
        ),
        gauge(
            "stored_limit_bytes",
            "Bytes from which on a run warns of what Parquet and landing take.",
            limits.max_storage_gb * GB,
        ),
        gauges(
            "rejected_records",
            "Landed records that are rejects, by the dataset they were meant for.",
            ("dataset",),
            [
                ({"dataset": dataset}, reasons.total())
                for dataset, reasons in sorted(stored.rejects.items())
            ],
        ),
        gauge(
            "rejected_limit_ratio",
            "Share of rejects from which on a run warns.",
            limits.max_reject_percent / 100,
        ),
        gauge(
            "heartbeat_limit_seconds",
            "Age of the last heartbeat from which on a run warns.",
            limits.stale_heartbeat_minutes * 60,
        ),
    ]
