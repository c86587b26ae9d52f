"""A new mask is applied, once, to all that is landed and published already."""

from __future__ import annotations

import gzip
import json
import os
import shutil
from collections.abc import Collection
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from exporter.publish.published import read_footers
from ingest.loaders.legacy import LegacyFile
from ingest.registry import SOURCES
from ingest.root import Root
from ingest.run import land
from ingest.store.ledger import Ledger
from tests import faults

DAY = "2025-10-28"
NOW = datetime(2025, 10, 29, 12)
SECRET = "ACME-1234"
OWN = "name,trigger,pattern,replacement\ncustomer,acme-,ACME-[0-9]+,***\n"
MODIFIED = 1761696000  # 2025-10-29 00:00


def write(root: Path, name: str, text: str, modified: int = MODIFIED) -> None:
    path = faults.write(root / name, text)
    os.utime(path, (modified, modified))


def fill(root: Path) -> Path:
    """Every source with a text that the new mask hides, in all that it can be."""
    beats = "g/reports/ops_atomic"
    for number, text in enumerate((SECRET, "ACME-77", "nothing")):
        at = f"{DAY}T10:0{number}:00Z"
        name = at.replace("T", "_").replace(":", "-").removesuffix("Z")
        beat = faults.heartbeat(at, checks=f"- **Customer:** ❌ {text} failed\n")
        write(root, f"{beats}/heartbeat_{name}.md", beat)
    write(root, f"{beats}/heartbeat_{DAY}_11-00-00.md", f"no status {SECRET}")
    write(root, f"{beats}/heartbeat_{DAY}_12-00-00.md", f"# {SECRET}\n" * 80_000)
    timed = {"ts": f"{DAY}T01:00:00Z", "duration_ms": 2}
    lines = [
        {**timed, "query": f"find {SECRET}", "resultCount": 3},
        {**timed, "query": "find ACME-77", "resultCount": 3},
        {**timed, "query": "find ***", "resultCount": 3},
        {"query": f"find {SECRET}"},
        {"query": "find ACME-77"},
        {"query": "find ***"},
        {"query": f"find {SECRET}"},
        {"ts": "2025-10-27T01:00:00Z", "query": "x", "customer": SECRET},
        {"query": "find ACME-1"},
    ]
    log = "".join(json.dumps(line) + "\n" for line in lines)
    write(root, "g/reports/query_perf.jsonl", f'{log}{SECRET}\n\n{{"query": "ACME-3')
    metrics = [
        {"ts": f"{DAY}T03:00:00Z", "metric": f"m {SECRET}", "value": 1},
        {"metric": "m ACME-5", "value": SECRET},
    ]
    rollup = "".join(json.dumps(metric) + "\n" for metric in metrics)
    write(root, "g/telemetry/rollup_daily.ndjson", rollup)
    rows = [
        f"{DAY}T00:00:00Z,h1,SELECT,1.5,1,1,false,{SECRET},i",
        f'{DAY}T00:00:01Z,h2,SELECT,1.5,1,1,false,"a, {SECRET}",i',
        f"{DAY}T00:00:02Z,h3,SELECT,not a number,1,1,false,{SECRET},i",
        f"{DAY}T00:00:03Z,{SECRET},too,few",
        f"{DAY}T00:00:04Z,h5,SELECT,1.5,1,1,false,t,i",
        f'"never closed {SECRET}',
    ]
    write(
        root, "g/reports/query_perf_daily_20251028.csv",
        faults.HEADER + "\n".join(rows) + "\n",
    )  # fmt: skip
    other = [f"{DAY}T00:00:00Z;h1;1.5;{SECRET};x", f"{DAY}T00:00:01Z;h2;1.5;t;{SECRET}"]
    write(
        root, "g/reports/query_perf_daily_20251027.csv",
        "\n".join([f"timestamp;query_hash;execution_time_ms;a;{SECRET}", *other]),
    )  # fmt: skip
    write(root, "g/reports/query_perf_daily_20251026.csv", f"{SECRET}\nACME-2 x\n")
    patterns = [
        {"pattern": f"find {SECRET}", "samples": 3, "more": {"a": [SECRET]}},
        {"pattern": "find ACME-77", "samples": "many"},
        SECRET,
    ]
    twin = {"week": "202543", "note": SECRET, "all_patterns": patterns}
    write(root, "g/reports/query_perf_weekly_202543.json", json.dumps(twin))
    advice = [{"table": SECRET, "index": "i", "sql": f"-- {SECRET}", "priority": 1.50}]
    report = {"timestamp": f"{DAY}T04:00:00Z", SECRET: 1, "recommendations": advice}
    optimize = "knowledge/optimize"
    write(root, f"{optimize}/index_advisor_report.json", json.dumps(report, indent=1))
    write(root, "g/reports/index_advisor_report.json", f'{{"torn": "{SECRET}')
    summary = [
        f"  note about {SECRET}",
        f"[{DAY}T02:00:00Z] run a=1 b=2 for {SECRET}",
        f"[2025-10-27T02:00:00Z] run who={SECRET} n=3",
        json.dumps({"event_type": "x", "metric_value": 1, "metadata": {"a": SECRET}}),
        "Cache hit: 12 %",
    ]
    name = f"g/reports/optimization_summary_{SECRET}_20251028.txt"
    write(root, name, "\n".join(summary))
    write(root, f"{optimize}/optimization_summary.txt", "Cache hit: 13 %\nACME-4\n")
    reports = "g/reports"
    write(root, f"{reports}/health/health_20251028.json", health(SECRET, "ACME-77"))
    write(root, f"{reports}/health/health_20251027.json", health(SECRET)[:-9])
    service = f"## MCP Health @ {DAY} 10:00:00\n\n### com.{SECRET}\n\tstate = running\n"
    write(root, f"{reports}/mcp_health/20251028_100000.md", service)
    return root


def health(*secrets: str) -> str:
    checks = [
        {"name": f"of {one}", "status": "fail", "exit_code": 1} for one in secrets
    ]
    told = {"timestamp": f"{DAY}T08:00:00Z", "checks": checks, "note": list(secrets)}
    return json.dumps(told, indent=1)


def legacy_file(root: Path) -> LegacyFile:
    """A file of another program with the secret in a known column and another."""
    path = "g/analytics/ops_atomic_20251028.parquet"
    write(root, path, "stands for Parquet")
    row = {"filename": f"{SECRET}.md", "timestamp": DAY, "who": f"a {SECRET}"}
    return LegacyFile(path, "ops_atomic", date(2025, 10, 28), lambda: iter([[row]]))


def run(
    root: Path, historical: bool = False, legacy: Collection[LegacyFile] = ()
) -> int:
    """Land what is new; returns the number of new records."""
    state = root / faults.STATE
    state.mkdir(parents=True, exist_ok=True)
    ledger = Ledger(state / "ledger.sqlite")
    report = land(Root(root), ledger, historical=historical, now=NOW, legacy=legacy)
    ledger.close()
    assert report.errors == []
    return report.records


def own_masks(root: Path, text: str = OWN) -> None:
    faults.write(root / "g/analytics/settings/masks.csv", text)


def landed(root: Path) -> dict[str, str]:
    """The text of every part, superseded ones too, by its place."""
    top = root / faults.LANDING
    return {
        path.relative_to(top).as_posix(): gzip.decompress(path.read_bytes()).decode()
        for path in sorted(top.rglob("*.gz"))
    }


def ledgered(root: Path) -> tuple[dict[Any, Any], dict[Any, Any]]:
    """What the ledger says of parts and inputs, but for what changes by time."""
    ledger = Ledger(root / faults.STATE / "ledger.sqlite")
    parts = {
        (p.source, p.day, p.part): (p.counts, p.fingerprint, p.parser, p.keys, p.span)
        for p in ledger.parts()
    }
    seen = ledger.inputs().items()
    inputs = {key: (one.source, one.position) for key, one in seen}
    ledger.close()
    return parts, inputs


def counted(root: Path) -> dict[Any, Any]:
    parts, _ = ledgered(root)
    return {key: counts for key, (counts, *_) in parts.items()}


def land_all(root: Path) -> Path:
    """Land an older version of some files, and then all."""
    rows = f"{DAY}T00:00:00Z,h1,SELECT,7.5,1,1,false,{SECRET},i\n"
    name = "g/reports/query_perf_daily_20251028.csv"
    write(root, name, faults.HEADER + rows, MODIFIED - 60)
    advice = [{"table": f"old {SECRET}", "index": "i"}]
    report = {"timestamp": f"{DAY}T04:00:00Z", "recommendations": advice}
    name = "knowledge/optimize/index_advisor_report.json"
    write(root, name, json.dumps(report), MODIFIED - 60)
    name = "g/reports/health/health_20251028.json"
    write(root, name, health("old ACME-3"), MODIFIED - 60)
    run(root)
    run(fill(root), legacy=[legacy_file(root)])
    return root


@pytest.fixture
def masked(tmp_path: Path) -> Path:
    """A root that was landed without the mask, and then with it."""
    root = land_all(tmp_path / "later")
    assert SECRET in "".join(landed(root).values())
    own_masks(root)
    assert run(root) == 0
    return root


@pytest.fixture
def fresh(tmp_path: Path) -> Path:
    """The same inputs, landed with the mask."""
    own_masks(tmp_path / "at_once")
    return land_all(tmp_path / "at_once")


def test_all_is_as_if_it_had_been_landed_so(masked: Path, fresh: Path) -> None:
    one, other = landed(masked), landed(fresh)
    assert list(one) == list(other)
    for place, text in one.items():
        assert text == other[place], place
    assert {place.split("/")[0] for place in one} >= {*SOURCES, "superseded"}
    assert "ACME-" not in "".join(one.values())
    assert ledgered(masked) == ledgered(fresh)


def test_reading_again_adds_nothing(masked: Path) -> None:
    before = landed(masked), ledgered(masked)
    assert run(masked) == 0
    assert run(masked, historical=True) == 0
    assert (landed(masked), ledgered(masked)) == before


def test_no_record_is_lost(tmp_path: Path) -> None:
    root = land_all(tmp_path)
    before = counted(root)
    own_masks(root)
    run(root)
    assert counted(root) == before


def texts(root: Path) -> dict[str, str]:
    """What each published file says, by its path, but for sizes of others."""
    return {
        path: repr(faults.rows((root / path).parent, Path(path).name))
        for path in faults.published(root)
        if "landed_counts" not in path
    }


def footers(root: Path) -> dict[str, tuple[int, dict[str, str]]]:
    found = read_footers(Root(root), faults.published(root))
    return {path: (file.row_count, file.metadata) for path, file in found.items()}


def test_what_is_published_is_masked_landed_or_not(root: Path) -> None:
    # As the guide allows it: an old day's landing goes, its files are kept.
    for path in faults.inputs(root):
        (root / path).unlink()
    for folder in (root / faults.LANDING).glob("*/day=2025-10-27"):
        shutil.rmtree(folder)
    faults.export(root)
    before, footers_before = texts(root), footers(root)
    word = "responding"
    old = {path for path in before if "20251027" in path}
    assert any(word in before[path] for path in old)
    row = f"word,{word},{word},***\n"
    log = root / "g/logs/parquet_export.log"
    said = faults.write(
        root / "g/reports/parquet/parquet_export_summary_20251001.md", word
    )
    aside = faults.write(root / "g/analytics/ops_atomic_20251001.parquet.damaged", word)
    quoting = (log, said, aside)
    for text in quoting:
        text.chmod(0o644)
    own_masks(root, f"name,trigger,pattern,replacement\n{row}")
    faults.export(root)
    assert {text.stat().st_mode & 0o777 for text in quoting} == {0o600}
    after = texts(root)
    assert after == {path: text.replace(word, "***") for path, text in before.items()}
    for path in old:
        assert footers(root)[path] == footers_before[path]
    assert not [said for said in faults.conservation(root) if "-10-27" not in said]
    assert faults.is_valid(root)
    # Once, and what had nothing to hide is as it was.
    snapshot = faults.published(root)
    assert not faults.export(root).paths("exported")
    assert faults.published(root) == snapshot


def test_with_a_rule_switched_off_nothing_is_landed_twice(
    masked: Path, tmp_path: Path
) -> None:
    off = f"{OWN}customer,,,\n"
    before = landed(masked)
    own_masks(masked, off)
    run(masked)
    run(masked, historical=True)
    # What was masked stays so, whatever the inputs say now, but for files that
    # are landed as a whole, and names of columns.
    after = landed(masked)
    known = [p for p in before if "csv.gz" not in p and "observed" not in p]
    assert [p for p in known if after[p] != before[p]] == []
    never, found = counted(land_all(tmp_path / "never")), counted(masked)
    seen = [key for key in never if key[0] != "observed_columns"]
    assert [key for key in seen if found[key] != never[key]] == []
    # What is landed while it is off is known when it is on again.
    shutil.copytree(tmp_path / "later", tmp_path / "on", ignore=lambda *_: ["state"])
    own_masks(tmp_path / "on", off)
    run(tmp_path / "on")
    assert "ACME-" in "".join(landed(tmp_path / "on").values())
    own_masks(tmp_path / "on")
    assert run(tmp_path / "on") == 0
    assert run(tmp_path / "on", historical=True) == 0
    assert "ACME-" not in "".join(landed(tmp_path / "on").values())
    assert "known_as" not in "".join(landed(tmp_path / "on").values())
