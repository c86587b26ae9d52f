"""Every rule is in UTC: zones, clocks set back, the future, odd calendar days."""

from __future__ import annotations

import gzip
import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from exporter.publish.ledger import open_ledger
from ingest.root import EXAMPLE_ROOT
from ingest.run import land
from tests import faults
from tests.faults import heartbeat, write
from tests.support import copy_root

NOW = datetime(2025, 11, 2, 12)


@pytest.fixture(params=["UTC", "Asia/Bangkok", "America/New_York", "Pacific/Apia"])
def zone(request: pytest.FixtureRequest) -> Iterator[str]:
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("TZ", request.param)
        time.tzset()
        yield request.param
    time.tzset()


def ingest(
    root: Path, now: datetime = NOW, historical: bool = False
) -> dict[str, bytes]:
    ledger = open_ledger(faults.as_root(root), dry_run=False)
    land(faults.as_root(root), ledger, now=now, historical=historical)
    ledger.close()
    return faults.landed(root)


def days(root: Path, source: str) -> set[str]:
    return {path.name[4:] for path in (root / faults.LANDING / source).glob("day=*")}


def odd_days(root: Path) -> None:
    """One input of each kind on the days that break naive calendars."""
    for stamp in (
        "2024-02-29T23:59:59Z",  # leap day
        "2024-12-31T23:59:59Z",
        "2025-01-01T00:00:00Z",  # the year's turn
        "2025-03-30T02:30:00+01:00",  # a local time that never was
        "2025-11-02T01:30:00-04:00",  # one that was twice
        "2025-11-02T01:30:00-05:00",
    ):
        name = f"heartbeat_{stamp[:10]}_{stamp[11:19].replace(':', '-')}"
        folder = "b" if stamp.endswith("-05:00") else "a"
        write(root / f"g/reports/{folder}/{name}.md", heartbeat(stamp), 1761000000)
    patterns = (
        "pattern,samples,avg_ms,p50_ms,p95_ms,p99_ms,slow_flag\nq,1,1,1,1,1,true\n"
    )
    for week in ("202053", "202101", "202452", "202501", "202553"):
        write(root / f"g/reports/query_perf_weekly_{week}.csv", patterns, 1761000000)
    for named, day in (("20240229", "2024-02-29"), ("20250229", "2025-02-28")):
        name = f"g/reports/query_perf_daily_{named}.csv"
        write(root / name, faults.query_csv(day, 2), 1761000000)
    write(
        root / "g/reports/query_perf.jsonl",
        '{"ts":"2025-01-01T00:30:00+07:00","query":"select 1","duration_ms":1}\n',
        1761000000,
    )


def test_days_do_not_hang_on_the_local_zone(
    zone: str, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    root = copy_root(EXAMPLE_ROOT, tmp_path / "root")
    odd_days(root)
    store = ingest(root)
    assert {"2024-02-29", "2024-12-31", "2025-01-01", "2025-03-30", "2025-11-02"} <= (
        days(root, "heartbeats")
    )
    # 2025 has no week 53: that file lands under its modification time.
    assert days(root, "query_patterns") >= {
        "2020-12-28", "2021-01-04", "2024-12-23", "2024-12-30", "2025-10-20",
    }  # fmt: skip
    assert {"2024-02-29", "2025-10-20"} <= days(root, "query_rows")
    assert "2024-12-31" in days(root, "query_log")
    shared = tmp_path_factory.getbasetemp() / "zones"
    if shared.exists():
        other = {p.name: p.read_bytes() for p in shared.iterdir()}
        assert other == {n.replace("/", "|"): d for n, d in store.items()}
    else:
        shared.mkdir()
        for name, data in store.items():
            (shared / name.replace("/", "|")).write_bytes(data)


def dated(root: Path) -> None:
    """One record of each source that can be dated by itself, 2031 and 1999."""
    for day in ("2031-05-05", "1999-12-31"):
        write(
            root / f"g/reports/heartbeat_2025-11-01_0{day[3]}-00-00.md",
            heartbeat(f"{day}T01:00:00Z"),
        )
        with (root / "g/reports/query_perf.jsonl").open("a") as stream:
            stream.write(f'{{"ts":"{day}T01:00:00Z","query":"q","duration_ms":1}}\n')
        write(root / "g/telemetry/rollup_daily.ndjson", "")
    with (root / "g/telemetry/rollup_daily.ndjson").open("a") as stream:
        for day in ("2031-05-05", "1999-12-31"):
            stream.write(f'{{"ts":"{day}T01:00:00Z","metric":"m","value":1}}\n')
    write(
        root / "g/reports/index_advisor_report.json",
        '{"timestamp":"2031-05-05T01:00:00Z","recommendations":[],"slow_queries":[]}',
    )
    write(
        root / "g/reports/optimization_summary_20251101.txt",
        "[2031-05-05T01:00:00Z] event a=1\n",
    )
    for day in ("20310505", "19991231"):
        write(
            root / f"g/reports/query_perf_daily_{day}.csv",
            faults.query_csv("2025-11-01", 2),
        )


def test_what_cannot_be_true_is_a_reject_on_its_own_day(tmp_path: Path) -> None:
    write(tmp_path / "g/reports/query_perf.jsonl", "")
    dated(tmp_path)
    faults.export(tmp_path)
    rejects = faults.rows(
        tmp_path, faults.REJECTS, "dataset, date_partition::varchar, reason"
    )
    ahead = [row for row in rejects if row[2] == "dated more than a day ahead"]
    past = [row for row in rejects if row[2] == "dated before 2000"]
    assert {row[1] for row in ahead} == {"2031-05-05"}
    assert {row[1] for row in past} == {"1999-12-31"}
    assert {row[0] for row in ahead} == {
        "ops_atomic", "query_perf", "optimization_summary", "index_advisor",
    }  # fmt: skip
    assert not faults.conservation(tmp_path)
    assert not faults.export(tmp_path, "--historical").paths("exported")


def test_a_clock_set_back_changes_nothing_that_is_landed(tmp_path: Path) -> None:
    root = copy_root(EXAMPLE_ROOT, tmp_path / "root")
    odd_days(root)
    dated(root)
    store = ingest(root)
    for later in (-timedelta(days=400), timedelta(days=400), timedelta(0)):
        assert ingest(root, NOW + later) == store
        assert ingest(root, NOW + later, historical=True) == store, later


AHEAD = b"dated more than a day ahead"
SOURCES = ("heartbeats", "query_rows", "index_advisor", "telemetry")


def refused(root: Path) -> set[str]:
    """Parts that hold a reject for its date, as `source/day`."""
    return {
        f"{path.parts[-3]}/{path.parts[-2][4:]}"
        for path in (root / faults.LANDING).glob("*/day=*/*.gz")
        if AHEAD in gzip.decompress(path.read_bytes())
    }


def of_sources(store: dict[str, bytes]) -> dict[str, bytes]:
    return {n: data for n, data in store.items() if n.split("/")[0] in SOURCES}


@pytest.mark.parametrize("is_ledger_lost", [False, True])
def test_what_a_clock_set_back_refused_is_judged_again(
    is_ledger_lost: bool, tmp_path: Path
) -> None:
    """Though no input is there any more."""
    clean = copy_root(EXAMPLE_ROOT, tmp_path / "clean")
    for path in (clean / "g/reports").glob("index_advisor*"):
        text = '{"timestamp":"2025-10-30T01:00:00Z","recommendations":[]}'
        write(path, text)
    # Untimed lines land by what can be believed when they are first read.
    (clean / "g/reports/query_perf.jsonl").unlink()
    for path in clean.rglob("*"):
        os.utime(path, (1_600_000_000, 1_600_000_000))
    root = faults.copy(clean, tmp_path / "root")
    store = of_sources(ingest(clean))
    assert not refused(clean)

    ingest(root, NOW - timedelta(days=365))
    assert {"heartbeats/2025-10-27", "query_rows/2025-10-28"} <= refused(root)
    assert {"index_advisor/2025-10-30", "telemetry/2025-10-28"} <= refused(root)
    for name in faults.inputs(root):
        (root / name).unlink()
    if is_ledger_lost:
        (root / faults.LEDGER).unlink()
    assert of_sources(ingest(root)) == store
    assert not refused(root)
    faults.export(root, "--allow-empty")
    assert not faults.conservation(root)
    assert faults.is_valid(root)


def test_what_is_ahead_is_judged_again_when_its_day_has_come(tmp_path: Path) -> None:
    write(tmp_path / "g/reports/query_perf.jsonl", '{"ts":"2031-05-05T02:00:00Z"}\n')
    dated(tmp_path)
    ingest(tmp_path)
    ahead = refused(tmp_path)
    assert {path.partition("/")[0] for path in ahead} >= {
        "heartbeats", "query_log", "telemetry", "index_advisor", "query_rows",
        "optimization_summary",
    }  # fmt: skip
    ledger = open_ledger(faults.as_root(tmp_path), dry_run=True)
    assert ledger.parts_to_recheck("2031-05-04") == [], "nothing is read before its day"
    ledger.close()
    ingest(tmp_path, datetime(2031, 5, 3, 23))
    assert refused(tmp_path) == ahead
    store = ingest(tmp_path, datetime(2031, 5, 4, 1, 30))
    assert refused(tmp_path) < ahead, "of a day, what is no more than a day ahead"
    assert ingest(tmp_path, datetime(2031, 5, 4, 1, 30)) == store
    store = ingest(tmp_path, datetime(2031, 5, 6))
    assert not refused(tmp_path)
    text = gzip.decompress(store["query_log/day=2031-05-05/query_log.ndjson.gz"])
    assert text.count(b"no query") == 1, "what else is wrong with it stays"
    assert ingest(tmp_path, historical=True) == store, "nor is it refused again"


def test_more_than_a_day_ahead_by_a_second(tmp_path: Path) -> None:
    ahead = NOW + timedelta(days=1)
    for at in (ahead, ahead + timedelta(seconds=1)):
        write(
            tmp_path / f"g/reports/heartbeat_{at:%Y-%m-%d_%H-%M-%S}.md",
            heartbeat(f"{at:%Y-%m-%dT%H:%M:%SZ}"),
        )
    ingest(tmp_path)
    text = faults.everything(tmp_path)
    part = next(d for n, d in text.items() if n.endswith("heartbeats.ndjson.gz"))
    assert part.count(b"dated more than a day ahead") == 1
    assert part.count(b'"problem":null') == 1


@pytest.mark.parametrize("day", ["9999-12-31", "0001-01-01", "0999-06-01"])
def test_the_ends_of_the_calendar_are_rejects(day: str, tmp_path: Path) -> None:
    stamp, digits = f"{day}T01:00:00Z", day.replace("-", "")
    reports = tmp_path / "g/reports"
    write(reports / f"heartbeat_{day}_01-00-00.md", heartbeat(stamp))
    write(
        reports / "heartbeat_2025-11-01_01-00-00.md",
        heartbeat(f"{day}T{'00:30:00+14:00' if day < '0002' else '23:30:00-14:00'}"),
    )
    write(
        reports / "query_perf.jsonl", f'{{"ts":"{stamp}","query":"q","duration_ms":1}}'
    )
    write(reports / f"query_perf_daily_{digits}.csv", faults.query_csv(day, 3))
    write(
        reports / "index_advisor_report.json",
        f'{{"timestamp":"{stamp}","recommendations":[],"slow_queries":[]}}',
    )
    write(reports / "optimization_summary_20251101.txt", f"[{stamp}] event a=1\n")
    write(
        tmp_path / "g/telemetry/rollup_daily.ndjson",
        f'{{"ts":"{stamp}","metric":"m","value":1}}\n',
    )
    faults.export(tmp_path)
    rejects = faults.rows(tmp_path, faults.REJECTS, "dataset, reason")
    assert {"ops_atomic", "query_perf", "index_advisor", "optimization_summary"} == {
        dataset for dataset, _ in rejects
    }
    assert {reason for _, reason in rejects} == {
        "dated more than a day ahead" if day > "2" else "dated before 2000"
    }
    assert not faults.conservation(tmp_path)
    again = faults.export(tmp_path, "--historical")
    assert not again.paths("exported"), "and so is every later run"
    assert faults.is_valid(tmp_path)
    assert list((reports / "parquet").glob("parquet_export_summary_*.md"))


def test_the_future_hides_no_silence(tmp_path: Path) -> None:
    for day in ("2025-11-01", "2999-01-01"):
        name = f"g/reports/heartbeat_{day}_01-00-00.md"
        write(tmp_path / name, heartbeat(f"{day}T01:00:00Z"))
        name = f"g/reports/query_perf_daily_{day.replace('-', '')}.csv"
        write(tmp_path / name, faults.query_csv(day, 1))
    said = faults.export(tmp_path).warnings
    assert "the last is of 2025-11-01 01:00" in said
    assert "no query_perf CSV for" in said


def test_a_reject_of_today_hides_no_silence(tmp_path: Path) -> None:
    write(
        tmp_path / "g/reports/heartbeat_2025-11-01_01-00-00.md",
        heartbeat("2025-11-01T01:00:00Z"),
    )
    write(
        tmp_path / "g/reports/query_perf_daily_20251101.csv",
        faults.query_csv("2025-11-01", 1),
    )
    now = datetime.now(UTC)
    # A monitor and a job that still write, but nothing that can be used; a log
    # that goes on is no CSV.
    write(tmp_path / f"g/reports/heartbeat_{now:%Y-%m-%d_%H-%M-%S}.md", "# Broken\n")
    write(
        tmp_path / f"g/reports/query_perf_daily_{now:%Y%m%d}.csv",
        "timestamp,query_hash,execution_time_ms\nx,h,abc\n",
    )
    write(
        tmp_path / "g/reports/query_perf.jsonl",
        f'{{"ts":"{now:%Y-%m-%dT%H:%M:%SZ}","query":"q","duration_ms":1}}\n',
    )
    done = faults.export(tmp_path)
    assert "the last is of 2025-11-01 01:00" in done.warnings
    assert "no query_perf CSV for" in done.warnings
    one_day = faults.export(tmp_path, "--date", "2025-11-01")
    assert "the last is of 2025-11-01 01:00" in one_day.warnings, "it stands"
    assert "the last is of 2025-11-01 01:00" in faults.export(tmp_path).warnings
