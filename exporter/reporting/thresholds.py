"""From where on a run warns, and the environment variables that say otherwise."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields

from exporter.runtime.redact import redact

MB, GB = 1_000_000, 1_000_000_000


def _limit(default: float, variable: str) -> float:
    """A limit that its environment variable overrides."""
    value: float = field(default=default, metadata={"variable": variable})
    return value


@dataclass(frozen=True)
class Thresholds:
    """The limits; `problems` says which variables could not be used.

    Storage is what Parquet and landing take together. Rejects are counted per
    dataset over the days that a run published, a reduction per day of
    query_perf against its CSV.
    """

    max_storage_gb: float = _limit(5, "OPS_ATOMIC_MAX_STORAGE_GB")
    max_reject_percent: float = _limit(5, "OPS_ATOMIC_MAX_REJECT_PERCENT")
    max_day_mb: float = _limit(5, "OPS_ATOMIC_MAX_DAY_MB")
    min_reduction_percent: float = _limit(70, "OPS_ATOMIC_MIN_REDUCTION_PERCENT")
    # A file's own overhead outweighs fewer rows than these.
    min_reduction_rows: float = _limit(100, "OPS_ATOMIC_MIN_REDUCTION_ROWS")
    stale_heartbeat_minutes: float = _limit(60, "OPS_ATOMIC_STALE_HEARTBEAT_MINUTES")
    # From the end of the day that a CSV is about: two nights without one.
    stale_csv_hours: float = _limit(48, "OPS_ATOMIC_STALE_CSV_HOURS")
    problems: tuple[str, ...] = ()

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Thresholds:
        """The limits with what the environment says; a bad value is passed over."""
        chosen: dict[str, float] = {}
        problems = []
        for name, variable, default in limits():
            text = environ.get(variable, "").strip()
            if not text:
                continue
            number = _number(text)
            if number is None:
                problems.append(
                    f"{variable} is {redact(text)!r}, not a number of 0 or more: "
                    f"{default:g} is used"
                )
            else:
                chosen[name] = number
        return cls(**chosen, problems=tuple(problems))


DEFAULTS = Thresholds()


def limits() -> list[tuple[str, str, float]]:
    """(field, environment variable, default) of every limit."""
    return [
        (limit.name, limit.metadata["variable"], float(getattr(DEFAULTS, limit.name)))
        for limit in fields(Thresholds)
        if "variable" in limit.metadata
    ]


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) and number >= 0 else None
