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
from tests.faults import LANDING, LEDGER, heartbeat, write
from tests.faults import export_datasets as export

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
    assert faults.are_datasets_valid(grown)
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


# A file or a source whose landing shrank, beside what is new of the others

PATTERN_HEADER = "pattern,samples,avg_ms,p50_ms,p95_ms,p99_ms,slow_flag\n"


def patterns(root: Path, names: str, avg_ms: int) -> Path:
    rows = "".join(f"{name},5,{avg_ms},2,3,4,false\n" for name in names)
    return write(
        root / f"{FOLDER}/query_perf_daily_20251020.csv", PATTERN_HEADER + rows
    )


def twin(root: Path, names: str, avg_ms: int) -> Path:
    listed = [
        {"pattern": name, "samples": 5, "avg_ms": avg_ms, "p50": 2, "p95": 3, "p99": 4}
        for name in names
    ]
    text = json.dumps({"date": DAY, "patterns": listed})
    return write(root / f"{FOLDER}/query_perf_daily_20251020.json", text)


def weekly(root: Path) -> Path:
    text = PATTERN_HEADER + "w,5,9,2,3,4,false\n"
    return write(root / f"{FOLDER}/query_perf_weekly_202543.csv", text)  # from DAY on


def slow_queries(root: Path, hour: int, names: str) -> Path:
    text = {
        "timestamp": f"{DAY}T{hour:02}:00:00Z",
        "recommendations": [],
        "slow_queries": [{"pattern": n, "samples": hour, "avg_ms": 7} for n in names],
    }
    return write(root / f"{FOLDER}/index_advisor_report.json", json.dumps(text))


def shown(root: Path) -> list[str]:
    """Period, pattern and average of all published patterns, `name avg`."""
    found = faults.rows(root, faults.PATTERNS, "period, query_pattern, avg_ms")
    return sorted(f"{period[0]} {name} {avg:g}" for period, name, avg in found)


def lose_file(root: Path, path: Path) -> None:
    """A dated file and all that was landed of it."""
    path.unlink()
    for part in (root / LANDING / "query_patterns").glob(f"day=*/{path.stem}*"):
        if part.name.startswith(path.name):
            part.unlink()


def is_well(root: Path) -> bool:
    """A rerun changes nothing, and validate finds nothing wrong."""
    before = faults.published(root)
    assert not export(root).paths("exported")
    assert faults.published(root) == before
    return faults.are_datasets_valid(root)


def test_patterns_of_a_lost_file_stay_beside_new_ones_of_others(tmp_path: Path) -> None:
    lost = patterns(tmp_path, "abc", 1)
    slow_queries(tmp_path, 2, "xy")
    export(tmp_path)
    lose_file(tmp_path, lost)
    weekly(tmp_path)
    slow_queries(tmp_path, 4, "z")
    done = export(tmp_path)
    assert shown(tmp_path) == ["a z 7", "d a 1", "d b 1", "d c 1", "w w 9"]
    assert "the rows of query_patterns/query_perf_daily_20251020.csv are kept" in (
        done.warnings
    )
    assert is_well(tmp_path)
    export(tmp_path, "--force", "--date", DAY)
    assert shown(tmp_path) == ["a z 7", "w w 9"]


def test_patterns_of_a_file_that_shrank_stay_whole(tmp_path: Path) -> None:
    lost = patterns(tmp_path, "abc", 1)
    export(tmp_path)
    lose_file(tmp_path, lost)
    patterns(tmp_path, "ab", 2)
    weekly(tmp_path)
    export(tmp_path)
    assert shown(tmp_path) == ["d a 1", "d b 1", "d c 1", "w w 9"]
    assert is_well(tmp_path)
    patterns(tmp_path, "abcd", 3)
    export(tmp_path)
    assert shown(tmp_path) == ["d a 3", "d b 3", "d c 3", "d d 3", "w w 9"]
    assert "kept" not in export(tmp_path).warnings


@pytest.mark.parametrize("names", ["z", "xyz", "x", ""])
def test_slow_queries_of_lost_reports_stay_beside_new_patterns(
    names: str, tmp_path: Path
) -> None:
    lost = slow_queries(tmp_path, 2, "xy")
    patterns(tmp_path, "ab", 1)
    export(tmp_path)
    lost.unlink()
    shutil.rmtree(tmp_path / LANDING / "index_advisor")
    slow_queries(tmp_path, 1, names)  # maybe not the last one: nobody knows
    weekly(tmp_path)
    patterns(tmp_path, "abc", 3)
    done = export(tmp_path)
    fresh = ["d a 3", "d b 3", "d c 3", "w w 9"]
    assert shown(tmp_path) == ["a x 7", "a y 7", *fresh]
    assert "the rows of index_advisor are kept" in done.warnings
    assert is_well(tmp_path)
    forced = export(tmp_path, "--force", "--date", DAY)
    assert shown(tmp_path) == [*(f"a {name} 7" for name in names), *fresh]
    assert "kept" not in forced.warnings
    assert faults.conservation(tmp_path) == []


def test_of_twins_the_csv_counts_whichever_is_kept(tmp_path: Path) -> None:
    csv = patterns(tmp_path, "ab", 1)
    twin(tmp_path, "abc", 2)
    export(tmp_path)
    lose_file(tmp_path, csv)
    weekly(tmp_path)
    export(tmp_path)
    assert shown(tmp_path) == ["d a 1", "d b 1", "w w 9"]
    assert is_well(tmp_path)


def test_a_kept_twin_yields_to_the_csv(tmp_path: Path) -> None:
    lost = twin(tmp_path, "abc", 2)
    export(tmp_path)
    lose_file(tmp_path, lost)
    patterns(tmp_path, "ab", 1)
    export(tmp_path)
    assert shown(tmp_path) == ["d a 1", "d b 1"]
    assert is_well(tmp_path)


def test_what_is_new_is_told_though_a_file_shrank(tmp_path: Path) -> None:
    lost = patterns(tmp_path, "abc", 1)
    telemetry(tmp_path, 1)
    export(tmp_path)
    lose_file(tmp_path, lost)
    log(tmp_path, 3)
    weekly(tmp_path)  # of the source that shrank: it waits in the counts
    done = export(tmp_path)
    assert "landed_counts_20251020.parquet: the rows of query_patterns/" in (
        done.warnings
    )
    assert counted(tmp_path) == [
        ("query_log", "query_perf", 4),
        ("query_log", "query_texts", 4),
        ("query_patterns", "query_patterns", 3),
        ("telemetry", "optimization_summary", 3),
    ]
    # Empty so far, so that it shows no compression.
    assert faults.rows(tmp_path, faults.REJECTS, "dataset") == [("query_perf",)]
    assert is_well(tmp_path)
    export(tmp_path, "--force", "--date", DAY)
    assert ("query_patterns", "query_patterns", 1) in counted(tmp_path)


def counted(root: Path) -> list[tuple[Any, ...]]:
    """What `landed_counts` tells: source, dataset, landed records."""
    pattern = "g/analytics/landed_counts/*.parquet"
    return sorted(faults.rows(root, pattern, "source, dataset, landed"))
