"""When what is forecast reaches a limit that a run warns of."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from exporter.reporting.thresholds import GB, Thresholds


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

    `forecasts` are rows of `metric_forecast`; of what is stored it knows the
    Parquet, to which the landing grows in proportion, as `last_run` counted both.
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
    parquet = run.get("stored_parquet_bytes") or 0
    share = 1 + (run.get("stored_landing_bytes") or 0) / parquet if parquet else 1
    per_day = row["slope_per_day"] * share
    origin = row["forecast_date"] - timedelta(days=row["horizon_days"])
    level = row["forecast"] * share - per_day * row["horizon_days"]
    limit = limits.max_storage_gb * GB
    now = level + per_day * (today - origin).days
    if per_day <= 0 or now >= limit:
        return None
    days = math.ceil((limit - level) / per_day)
    if days > (date.max - origin).days:
        return None
    return Crossing("stored_bytes", limit, origin + timedelta(days=days))
