"""`g/analytics/metrics/ops_atomic.prom`, which a node exporter collects.

Each run writes it anew. What marts say is reckoned by runs that published
something; others take it over from the file, and so load no DuckDB.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from prometheus_client.core import CollectorRegistry, Metric
from prometheus_client.exposition import generate_latest
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

from exporter.metrics.of_run import run_metrics
from exporter.reporting.results import RunResult
from exporter.reporting.stored import Stored
from exporter.runtime.errors import first_line
from exporter.runtime.machine import machine_name
from ingest import files
from ingest.root import Root

if TYPE_CHECKING:
    from exporter.answers.ask import Answers


def metrics_path(root: Root) -> Path:
    return root.path / "g" / "analytics" / "metrics" / "ops_atomic.prom"


def write_metrics(
    root: Root, result: RunResult, stored: Stored, asked: Callable[[], Answers]
) -> None:
    """Write the file, in one step; `asked` gives the answers of the marts. Where
    these cannot be asked, what they said before stays, and the reason is raised:
    OSError.
    """
    path = metrics_path(root)
    own = run_metrics(result, stored, machine_name(root))
    before = _read(path)
    try:
        found = _ask_marts(root, asked) if result.with_status("exported") else []
    except OSError:
        _write(path, _merged(before, own))
        raise
    _write(path, _merged(before, own + found))


def _ask_marts(root: Root, asked: Callable[[], Answers]) -> list[Metric]:
    # Here, because a run with nothing new loads no DuckDB.
    import duckdb

    from exporter.metrics.of_answers import answer_metrics

    try:
        return answer_metrics(asked())
    except duckdb.Error as error:
        path = metrics_path(root).relative_to(root.path)
        raise OSError(
            f"{path}: what the marts say is not made anew: {first_line(error)}"
        ) from error


def _merged(before: list[Metric], now: list[Metric]) -> list[Metric]:
    """What is known now, and what was said before where now says nothing."""
    known = {metric.name for metric in now}
    return sorted(
        [*now, *(metric for metric in before if metric.name not in known)],
        key=lambda metric: metric.name,
    )


def _read(path: Path) -> list[Metric]:
    """The metrics of a file; none where there is none, or where it is damaged."""
    try:
        text = files.read(path).decode()
        return list(text_string_to_metric_families(text))
    except (OSError, ValueError):
        return []


class _Collected(Collector):
    """Metrics as the registry of the client wants them."""

    def __init__(self, metrics: list[Metric]) -> None:
        self.metrics = metrics

    def collect(self) -> list[Metric]:
        return self.metrics


def _write(path: Path, metrics: list[Metric]) -> None:
    registry = CollectorRegistry()
    registry.register(_Collected(metrics))
    files.refuse_what_is_no_file(path)
    files.make_folder(path.parent, 0o755)
    # Whoever runs the node exporter is to read it.
    files.write_exactly(path, generate_latest(registry), 0o644)
