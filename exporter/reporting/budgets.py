"""How fast an SLO's budget of downtime is used up, where enough was seen to say so."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

SECONDS = {"1h": 3600, "6h": 21600}
# Of a check that was seen for a minute, one bad heartbeat is all there is.
LEAST_OBSERVED = 0.5


def burn_rate(row: Mapping[str, Any], window: str) -> float | None:
    """The burn rate of a row of slo_status over the last hour (`1h`) or six (`6h`);
    None where nothing was observed, or less than half of that time."""
    rate: float | None = row[f"burn_rate_{window}"]
    observed = row[f"observed_{window}_s"] or 0
    return rate if observed >= LEAST_OBSERVED * SECONDS[window] else None
