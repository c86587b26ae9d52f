"""Growth hides no loss: what was published stays, however much has come since."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests import faults
from tests.faults import LANDING, LEDGER, export, heartbeat, write

DAY = "2025-10-20"
NIGHT = f"{DAY}T02:00:00Z"
FOLDER = "g/reports"


def beats(root: Path, hour: int) -> None:
    for minute in range(3):
        at = f"{DAY}T{hour:02}:{minute:02}:00Z"
        name = f"heartbeat_{DAY}_{hour:02}-{minute:02}-00.md"
        # The last one is a reject.
        text = heartbeat(at) if minute < 2 else f"no heartbeat of {at}"
        write(root / f"{FOLDER}/ops_atomic/{name}", text)


def log(root: Path, hour: int) -> None:
    lines = [
        f'{{"ts":"{DAY}T{hour:02}:00:00Z","query":"select {n}","duration_ms":{n}}}\n'
        for n in (1, 2, 2)
    ]
    odd = f'{{"ts":"{DAY}T{hour:02}:00:00Z","query":"q","duration_ms":"long"}}\n'
    write(root / f"{FOLDER}/query_perf.jsonl", "".join([*lines, odd]))


def telemetry(root: Path, hour: int) -> None:
    lines = [
        f'{{"ts":"{DAY}T{hour:02}:00:00Z","metric":"m{n}","value":{n}}}\n'
        for n in range(3)
    ]
    write(root / "g/telemetry/rollup_daily.ndjson", "".join(lines))


def report(root: Path, hour: int) -> None:
    advice = [
        {"table": f"t{hour}", "index": f"i{n}", "query_pattern": "q",
         "estimated_speedup": 2, "priority": "high"}
        for n in range(3)
    ]  # fmt: skip
    text = {
        "timestamp": f"{DAY}T{hour:02}:00:00Z",
        "recommendations": advice,
        "slow_queries": [],
    }
    write(root / f"{FOLDER}/index_advisor_report.json", json.dumps(text))


def summary(root: Path, hour: int) -> None:
    lines = [f"[{DAY}T{hour:02}:00:00Z] e{n} a={n}\n" for n in range(3)]
    write(root / f"{FOLDER}/optimization_summary_20251020.txt", "".join(lines))


# By landing source, what writes of an hour, and where its rows are published.
SOURCES: dict[str, tuple[Callable[[Path, int], None], list[str]]] = {
    "heartbeats": (beats, [faults.BEATS, faults.CHECKS, faults.REJECTS]),
    "query_log": (log, [faults.QUERIES, faults.REJECTS]),
    "telemetry": (telemetry, [faults.SUMMARY]),
    "index_advisor": (report, [faults.ADVICE]),
    "optimization_summary": (summary, [faults.SUMMARY]),
}
EACH = pytest.mark.parametrize("source", SOURCES)


@pytest.fixture(scope="module")
def grown_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A day of every source, published: to be copied, not touched."""
    root = tmp_path_factory.mktemp("grown") / "root"
    everything(root, 1)
    write(root / f"{FOLDER}/query_perf_daily_20251020.csv", faults.query_csv(DAY, 4))
    export(root)
    return root


@pytest.fixture
def grown(grown_once: Path, tmp_path: Path) -> Path:
    return faults.copy(grown_once, tmp_path / "root")


def everything(root: Path, hour: int) -> None:
    for add, _ in SOURCES.values():
        add(root, hour)


def rows(root: Path, patterns: list[str]) -> Counter[tuple[Any, ...]]:
    return Counter(row for pattern in patterns for row in faults.rows(root, pattern))


def lose(root: Path, sources: list[str]) -> None:
    """The landing of some sources, and every input."""
    for source in sources:
        shutil.rmtree(root / LANDING / source)
    for name in faults.inputs(root):
        (root / name).unlink()


ALL = sorted({pattern for _, patterns in SOURCES.values() for pattern in patterns})


@EACH
@pytest.mark.parametrize("is_ledger_lost", [False, True])
def test_as_many_new_records_take_no_place(
    source: str, is_ledger_lost: bool, grown: Path, grown_once: Path
) -> None:
    add, patterns = SOURCES[source]
    before = rows(grown, ALL)
    lose(grown, [source])
    if is_ledger_lost:
        (grown / LEDGER).unlink()
    add(grown, 7)
    new = Counter(row for row in rows_of_alone(grown, add) if row not in before)
    done = export(grown)
    assert rows(grown, ALL) == before + new
    assert "row(s) are kept that the landing no longer holds" in done.warnings
    assert faults.is_valid(grown)
    again = export(grown)
    assert not again.paths("exported")
    assert "row(s) are kept" in again.warnings, "as long as it is so"
    forced = export(grown, "--force")
    assert "kept" not in forced.warnings
    assert not rows(grown, patterns) & before or source in SHARED
    assert rows(grown, ALL) & new == new
    assert faults.conservation(grown) == []


SHARED = ("heartbeats", "query_log", "telemetry", "optimization_summary")


def rows_of_alone(root: Path, add: Callable[[Path, int], None]) -> list[Any]:
    """What a fresh root publishes of an input."""
    alone = root.with_name("alone")
    add(alone, 7)
    export(alone)
    return list(rows(alone, ALL).elements())
