"""Gauges in the form of Prometheus: names, help and labels."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from prometheus_client.core import GaugeMetricFamily, Metric

PREFIX = "ops_atomic_"
Value = float | bool | None
Samples = Iterable[tuple[Mapping[str, object], Value]]


def gauge(name: str, help_text: str, value: Value) -> Metric:
    """A gauge without labels; without a sample where the value is not known."""
    return gauges(name, help_text, (), [({}, value)])


def gauges(
    name: str, help_text: str, labels: tuple[str, ...], samples: Samples
) -> Metric:
    """A gauge with labels; a value that is not known has no sample.

    Of samples with the same labels the last counts: two of them would cost the
    whole file.
    """
    family = GaugeMetricFamily(PREFIX + name, help_text, labels=labels)
    known = {
        tuple(str(cells[label]) for label in labels): float(value)
        for cells, value in samples
        if value is not None
    }
    for of, value in known.items():
        family.add_metric(of, value)
    return family


def seconds(at: datetime | None) -> float | None:
    """A time without a zone, which is UTC, as seconds since 1970."""
    return at.replace(tzinfo=UTC).timestamp() if at else None
