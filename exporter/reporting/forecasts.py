"""When what is forecast reaches a limit that a run warns of."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from exporter.reporting.thresholds import GB, Thresholds

# What a run counts, and holds against the limit.
STORED = ("stored_parquet_bytes", "stored_landing_bytes")


@dataclass(frozen=True)
class Crossing:
    """A limit that a metric is forecast to reach on a day."""

    metric: str
    limit: float
    on: date

    @property
    def said(self) -> str:
        return f"storage reaches {self.limit / GB:g} GB around {self.on}"


def next_crossing(
    forecasts: Iterable[Mapping[str, Any]],
    last_run: Mapping[str, Any] | None,
    limits: Thresholds,
    today: date,
) -> Crossing | None:
    """Where storage is to reach its limit, by the line that the forecast follows;
    None where it is not, or already has.

    `forecasts` are rows of `metric_forecast`, which knows the Parquet of some
    datasets. All that is stored, as `last_run` counted it, grows in proportion.
    """
    rows = [
        row
        for row in forecasts
        if row["metric"] == "stored_bytes"
        and row["series"] == "all"
        and row["forecast"] is not None
    ]
    if not rows:
        return None
    row = min(rows, key=lambda row: row["horizon_days"])
    run = last_run or {}
    origin = row["forecast_date"] - timedelta(days=row["horizon_days"])
    now = (
        row["forecast"]
        + ((today - origin).days - row["horizon_days"]) * row["slope_per_day"]
    )
    per_day = row["slope_per_day"]
    stored = sum(run.get(name) or 0 for name in STORED)
    if stored:
        per_day *= stored / now if now > 0 else 1
        now = stored
    limit = limits.max_storage_gb * GB
    if per_day <= 0 or now >= limit:
        return None
    days = math.ceil((limit - now) / per_day)
    if days > (date.max - today).days:
        return None
    return Crossing("stored_bytes", limit, today + timedelta(days=days))
