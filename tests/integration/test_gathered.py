"""Marts made from months as one file are those made from each day's."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tests import faults

LOG = "g/reports/query_perf.jsonl"
FIRST = datetime(2025, 1, 20, 12)
# Of the runs themselves, which are no two the same.
OF_RUNS = ("export_runs.parquet", "run_reliability.parquet")


def log(root: Path, days: range) -> None:
    path = root / LOG
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as lines:
        for number in days:
            at = FIRST + timedelta(days=number)
            line = {"ts": f"{at:%Y-%m-%dT%H:%M:%SZ}", "query": "select 1", "mode": "m"}
            lines.write(json.dumps(line | {"duration_ms": 1 + number % 7}) + "\n")
            beat = f"g/reports/ops_atomic/heartbeat_{at:%Y-%m-%d_%H-%M-%S}.md"
            faults.write(root / beat, faults.heartbeat(f"{at:%Y-%m-%dT%H:%M:%SZ}"))


def marts(root: Path) -> dict[str, bytes]:
    folder = root / "g/analytics/marts"
    return {
        path.name: path.read_bytes()
        for path in folder.rglob("*.parquet")
        if path.name not in OF_RUNS
    }


def test_marts_are_the_same_however_their_days_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    monkeypatch.setenv("OPS_ATOMIC_AS_OF", "2025-04-02T00:00:00Z")
    for root, few in ((one, 2), (other, 10_000)):
        monkeypatch.setattr("exporter.publish.gathered.FEW", few)
        log(root, range(0, 70, 3))
        faults.export(root)
    gathered = one / "g/analytics/state/gathered"
    months = {path.name[:6] for path in (gathered / "check_states").iterdir()}
    assert months == {"202501", "202502"}
    assert not (other / gathered.relative_to(one)).exists()
    assert marts(one) == marts(other)
    for root, few in ((one, 2), (other, 10_000)):
        monkeypatch.setattr("exporter.publish.gathered.FEW", few)
        log(root, range(1, 2))  # late
        faults.export(root)
    assert marts(one) == marts(other)
    assert faults.is_valid(one)
