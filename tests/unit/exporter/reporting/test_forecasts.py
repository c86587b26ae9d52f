"""When storage reaches its limit, by the line of its forecast."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from exporter.reporting.forecasts import next_crossing
from exporter.reporting.thresholds import Thresholds

TODAY = date(2025, 10, 28)
LIMITS = Thresholds(max_storage_gb=5)


def row(slope: float, forecast: float | None, **more: Any) -> dict[str, Any]:
    """In 30 days from yesterday."""
    return {
        "metric": "stored_bytes",
        "series": "all",
        "horizon_days": 30,
        "forecast_date": date(2025, 11, 26),
        "slope_per_day": slope,
        "forecast": forecast,
        **more,
    }


def stored(parquet: float, landing: float) -> dict[str, float]:
    return {"stored_parquet_bytes": parquet, "stored_landing_bytes": landing}


@pytest.mark.parametrize(
    ("slope", "forecast", "run", "on"),
    [
        (1e8, 5.0e9, None, date(2025, 11, 26)),
        (1e8, 4.0e9, None, date(2025, 12, 6)),
        (1e8, 5.05e9, None, date(2025, 11, 26)),  # not before it is reached
        # Of what is stored the forecast knows half: 1.1 of 2.2 GB, and of its growth.
        (1e8, 4.0e9, stored(15e8, 7e8), date(2025, 11, 11)),
        (1e8, 4.0e9, stored(0, 0), date(2025, 12, 6)),
        (1e8, 4.0e9, stored(3e9, 2e9), None),  # it is reached now
        (1e8, 2.8e9, stored(3e9, 0), date(2025, 11, 17)),  # its line begins below 0
        (0.0, 4.0e9, None, None),
        (-1e8, 4.0e9, None, None),
        (1e8, 9.0e9, None, None),  # it has long been reached: a run warns of it
        (1.0, 4.0e9, None, None),  # beyond any calendar
    ],
)
def test_a_limit_is_reached_where_the_line_crosses_it(
    slope: float, forecast: float, run: dict[str, float] | None, on: date | None
) -> None:
    found = next_crossing([row(slope, forecast)], run, LIMITS, TODAY)
    assert (found and found.on) == on


def test_only_what_is_forecast_of_all_storage_counts() -> None:
    others = [
        row(1e8, 5e9, metric="rows"),
        row(1e8, 5e9, series="query_perf"),
        row(1e8, None),
    ]
    assert next_crossing(others, None, LIMITS, TODAY) is None
    assert next_crossing([], None, LIMITS, TODAY) is None
    later = row(1e8, 11e9, horizon_days=90, forecast_date=date(2026, 1, 25))
    found = next_crossing([later, row(1e8, 5e9)], None, LIMITS, TODAY)
    assert found is not None
    assert found.said == "storage reaches 5 GB around 2025-11-26"
