"""The synthetic root: reproducible, and shaped like a real one."""

from __future__ import annotations

import io
import itertools
import json
import os
import statistics
import subprocess
import sys
import tarfile
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from exporter.sample import SampleCount, write_sample
from exporter.sample.heartbeats import outages, outages_beginning

REPORTS = Path("g/reports")
ARCHIVE = REPORTS / "archive"
APPENDED = ("g/reports/query_perf.jsonl", "g/telemetry/rollup_daily.ndjson")
OVERWRITTEN = (
    "g/reports/index_advisor_report.json",
    "knowledge/optimize/index_advisor_report.json",
    "knowledge/optimize/optimization_summary.txt",
)
START = date(2024, 12, 27)  # a Friday; the ISO year turns on Monday, the 30th
DAYS = 12

Contents = dict[str, tuple[int, bytes]]


def contents(root: Path) -> Contents:
    """Modification time and bytes of every file, by relative path."""
    return {
        path.relative_to(root).as_posix(): (
            int(path.stat().st_mtime),
            path.read_bytes(),
        )
        for path in root.rglob("*")
        if path.is_file()
    }


def unpacked(root: Path) -> Contents:
    """The same, with the members of bundles where they came from."""
    found = contents(root)
    for name in [name for name in found if name.endswith(".tar.gz")]:
        _, data = found.pop(name)
        with tarfile.open(fileobj=io.BytesIO(data)) as archive:
            for member in archive:
                stream = archive.extractfile(member)
                assert stream
                path = member.name.removeprefix("/Users/ops/02luka/")
                assert path not in found
                found[path] = (int(member.mtime), stream.read())
    return found


@pytest.fixture(scope="module")
def sampled(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, SampleCount]:
    root = tmp_path_factory.mktemp("sample")
    return root, write_sample(root, DAYS, start=START)


@pytest.fixture(scope="module")
def root(sampled: tuple[Path, SampleCount]) -> Path:
    return sampled[0]


@pytest.fixture(scope="module")
def heartbeats(root: Path) -> dict[str, str]:
    return {
        path.name: path.read_text(encoding="utf-8")
        for path in (root / REPORTS / "ops_atomic").iterdir()
    }


def test_same_seed_same_bytes_in_any_zone_and_process(
    root: Path, tmp_path: Path
) -> None:
    call = (
        "import sys, datetime, pathlib, exporter.sample as s; "
        "s.write_sample(pathlib.Path(sys.argv[1]), int(sys.argv[2]),"
        " start=datetime.date.fromisoformat(sys.argv[3]))"
    )
    environment = {"TZ": "Asia/Bangkok", "LC_ALL": "C", "PYTHONHASHSEED": "7"}
    subprocess.run(
        [sys.executable, "-c", call, str(tmp_path / "b"), str(DAYS), str(START)],
        check=True,
        env=os.environ | environment,
    )
    assert contents(tmp_path / "b") == contents(root)


def test_another_seed_other_bytes(tmp_path: Path) -> None:
    write_sample(tmp_path / "a", 1, seed=1)
    write_sample(tmp_path / "b", 1, seed=2)
    a, b = contents(tmp_path / "a"), contents(tmp_path / "b")
    name = "g/reports/query_perf_daily_20250101.csv"
    assert a[name] != b[name]


def test_a_longer_root_begins_with_a_shorter_one(root: Path, tmp_path: Path) -> None:
    write_sample(tmp_path, 5, start=START)
    short, long = contents(tmp_path), contents(root)
    for name, content in short.items():
        if name in APPENDED:
            assert long[name][1].startswith(content[1])
        elif name not in OVERWRITTEN:
            assert long[name] == content, name
    assert set(OVERWRITTEN) | set(APPENDED) <= set(short)


def test_a_day_depends_on_its_date_not_on_the_first(root: Path, tmp_path: Path) -> None:
    write_sample(tmp_path, 1, start=date(2024, 12, 31))
    long = contents(root)
    for name, content in contents(tmp_path).items():
        if "20241231" in name or "2024-12-31" in name:
            assert long[name] == content


def test_counts(sampled: tuple[Path, SampleCount]) -> None:
    root, count = sampled
    found = contents(root)
    assert count.days == DAYS
    assert count.bundles == 0
    assert count.files == len(found)
    assert count.size_bytes == sum(len(data) for _, data in found.values())
    assert count.heartbeats == sum(name.endswith(".md") for name in found)
    assert count.query_rows == sum(
        len(data.splitlines()) - 1
        for name, (_, data) in found.items()
        if "query_perf_daily_" in name
    )


def test_heartbeats_are_five_minutes_apart_with_a_few_missed(
    heartbeats: dict[str, str],
) -> None:
    stamps = sorted(
        datetime.strptime(name, "heartbeat_%Y-%m-%d_%H-%M-%S.md") for name in heartbeats
    )
    by_day = Counter(stamp.date() for stamp in stamps)
    assert len(by_day) == DAYS
    assert 280 <= statistics.median(by_day.values()) <= 288
    assert max(by_day.values()) <= 288
    within_days = [
        (later - earlier).total_seconds()
        for earlier, later in itertools.pairwise(stamps)
        if later.date() == earlier.date()
    ]
    assert min(within_days) >= 300
    assert sum(300 <= gap <= 302 for gap in within_days) > 0.97 * len(within_days)
    assert max(within_days) > 302


def test_heartbeats_look_like_the_monitors(heartbeats: dict[str, str]) -> None:
    assert 540 <= statistics.median(len(t.encode()) for t in heartbeats.values()) <= 580
    statuses = Counter[str]()
    for name, text in heartbeats.items():
        lines = text.splitlines()
        assert lines[0] == "# OPS-Atomic Monitor Heartbeat"
        stamp = lines[2].removeprefix("**Timestamp:** ")
        moment = datetime.fromisoformat(stamp)
        assert moment.strftime("heartbeat_%Y-%m-%d_%H-%M-%S.md") == name
        assert lines[3].startswith("**Status:** ")
        statuses[lines[3].split()[-1]] += 1
        assert lines[4].removeprefix("**Duration:** ").removesuffix("ms").isdigit()
        assert lines[-1] == "*Generated by ops_atomic_monitor.cjs*"
    assert statuses["HEALTHY"] > 0.8 * len(heartbeats)
    assert set(statuses) == {"HEALTHY", "WARNINGS", "CRITICAL"}
    everything = "".join(heartbeats.values())
    assert "❌ Skipped in CI" in everything
    assert "⚠️ Endpoint not responding" in everything
    assert "    at runScriptInThisContext (node:internal/vm" in everything


def test_an_outage_can_last_past_midnight() -> None:
    days = [START + timedelta(days=number) for number in range(365)]
    crossing = [
        (day, outage)
        for day in days
        for outage in outages_beginning(1, day)
        if outage.ends > 86_400
    ]
    assert crossing
    for day, outage in crossing:
        tomorrow = outages(1, day + timedelta(days=1))
        assert (outage.check, outage.ends - 86_400) in [
            (other.check, other.ends) for other in tomorrow
        ]


def test_query_rows(root: Path) -> None:
    by_hash: dict[str, set[tuple[str, str, str]]] = {}
    hashes = Counter[str]()
    counts = []
    for path in (root / REPORTS).glob("query_perf_daily_*.csv"):
        assert 90_000 <= path.stat().st_size <= 200_000
        header, *lines = path.read_text(encoding="utf-8").splitlines()
        assert header == (
            "timestamp,query_hash,query_type,execution_time_ms,rows_examined,"
            "rows_returned,cache_hit,table_name,index_used"
        )
        rows = [line.split(",") for line in lines]
        counts.append(len(rows))
        stamps = [row[0] for row in rows]
        assert stamps == sorted(stamps)
        assert {f"{s[:4]}{s[5:7]}{s[8:10]}" for s in stamps} == {path.stem[-8:]}
        for _, query_hash, query_type, time_ms, examined, returned, hit, *where in rows:
            assert float(time_ms) > 0
            assert int(examined) >= 0
            assert int(returned) >= 0
            assert hit in ("true", "false")
            by_hash.setdefault(query_hash, set()).add((query_type, *where))  # type: ignore[arg-type]
            hashes[query_hash] += 1
    assert 1_350 <= statistics.mean(counts) <= 1_650
    assert 55 <= len(by_hash) <= 65
    assert all(len(kinds) == 1 for kinds in by_hash.values())
    assert max(hashes.values()) > 10 * statistics.median(hashes.values())


def test_weeks_are_iso_weeks(root: Path) -> None:
    names = sorted(path.name for path in (root / REPORTS).glob("query_perf_weekly_*"))
    assert names == [
        "query_perf_weekly_202452.csv",
        "query_perf_weekly_202452.json",
        "query_perf_weekly_202501.csv",
        "query_perf_weekly_202501.json",
    ]
    path = root / REPORTS / "query_perf_weekly_202501.json"
    sunday_night = datetime(2025, 1, 5, 23, 59, 59, tzinfo=UTC).timestamp()
    assert path.stat().st_mtime == sunday_night
    twin = json.loads(path.read_text(encoding="utf-8"))
    header, *lines = path.with_suffix(".csv").read_text(encoding="utf-8").splitlines()
    assert header == "pattern,samples,avg_ms,p50_ms,p95_ms,p99_ms,slow_flag"
    assert twin["week"] == "202501"
    assert len(lines) == len(twin["all_patterns"])
    rows_in_week = sum(
        len((root / REPORTS / f"query_perf_daily_{day}.csv").read_text().splitlines())
        - 1
        for day in (20241230, 20241231, *range(20250101, 20250106))
    )
    assert twin["total_queries"] == rows_in_week
    first = twin["all_patterns"][0]
    assert set(first) == {
        "pattern", "samples", "p50_weekly", "p95_weekly", "p99_weekly", "slow",
    }  # fmt: skip
    assert lines[0].startswith(f'"{first["pattern"]}",{first["samples"]},')


def test_what_is_overwritten_is_of_the_last_night(root: Path) -> None:
    recent, classic, summary = (root / path for path in OVERWRITTEN)
    for path in (recent, classic):
        report = json.loads(path.read_text(encoding="utf-8"))
        assert report["timestamp"].startswith("2025-01-07T23:5")
        assert report["recommendations"]
    assert "sql" in json.loads(recent.read_text())["recommendations"][0]
    assert "index" in json.loads(classic.read_text())["recommendations"][0]
    dated = root / REPORTS / "optimization_summary_20250107.txt"
    assert dated.read_text(encoding="utf-8") == summary.read_text(encoding="utf-8")
    assert len(list((root / REPORTS).glob("optimization_summary_*"))) == DAYS


def test_logs(root: Path) -> None:
    log, telemetry = ((root / path).read_text(encoding="utf-8") for path in APPENDED)
    entries = [json.loads(line) for line in log.splitlines()]
    untimed = [entry for entry in entries if "ts" not in entry]
    assert 0 < len(untimed) < 0.2 * len(entries)
    assert "ts" in entries[0]
    assert all(set(entry) == {"query", "duration_ms"} for entry in untimed)
    lines = telemetry.splitlines()
    assert len(set(lines)) == 7 * DAYS
    assert len(lines) > len(set(lines))


def test_no_file_is_younger_than_the_last_day(root: Path) -> None:
    end = datetime(2025, 1, 8, tzinfo=UTC).timestamp()
    assert all(mtime < end for mtime, _ in contents(root).values())


@pytest.mark.parametrize("days", [0, 1, 3])
def test_bundles_hold_what_would_lie_there(
    root: Path, tmp_path: Path, days: int
) -> None:
    count = write_sample(tmp_path, DAYS, start=START, rotate_after=days)
    assert unpacked(tmp_path) == contents(root)
    assert count.files == len(contents(tmp_path))
    assert count.bundles == len(list((tmp_path / ARCHIVE).iterdir()))
    names = [path.name for path in (tmp_path / ARCHIVE).iterdir()]
    assert 20 * (DAYS - days) < len(names) <= 24 * (DAYS - days)
    live = [path.name[10:20] for path in tmp_path.rglob("heartbeat_*")]
    assert len(set(live)) == days


def test_bundles_mix_relative_and_absolute_names(tmp_path: Path) -> None:
    write_sample(tmp_path / "a", 2, rotate_after=1)
    write_sample(tmp_path / "b", 2, rotate_after=1)
    assert contents(tmp_path / "a") == contents(tmp_path / "b")
    absolute = Counter[bool]()
    for path in (tmp_path / "a" / ARCHIVE).iterdir():
        with tarfile.open(path) as archive:
            names = archive.getnames()
        absolute[names[0].startswith("/")] += 1
        moment = datetime.strptime(path.name, "reports_%Y%m%d_%H%M%S.tar.gz")
        assert path.stat().st_mtime == moment.replace(tzinfo=UTC).timestamp()
        assert moment.date() in (date(2025, 1, 2), date(2025, 1, 3))
    assert absolute[True]
    assert absolute[False] > absolute[True]


def test_progress_is_told_of_every_day(tmp_path: Path) -> None:
    told: list[int] = []
    write_sample(tmp_path, 3, progress=told.append)
    assert told == [1, 1, 1]


def test_a_missing_folder_is_made(tmp_path: Path) -> None:
    write_sample(tmp_path / "new" / "root", 1)
    assert (tmp_path / "new/root/g/reports").is_dir()


def test_a_folder_in_use_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("keep")
    with pytest.raises(FileExistsError, match="not empty"):
        write_sample(tmp_path, 1)
    with pytest.raises(NotADirectoryError, match="is a file"):
        write_sample(tmp_path / "mine.txt", 1)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


@pytest.mark.parametrize(
    ("days", "rotate_after", "start"),
    [
        (0, None, date(2025, 1, 1)),
        (1, -1, date(2025, 1, 1)),
        (32, None, date(9999, 12, 1)),
    ],
)
def test_impossible_wishes_are_refused(
    tmp_path: Path, days: int, rotate_after: int | None, start: date
) -> None:
    with pytest.raises(ValueError, match=r"day|rotate_after"):
        write_sample(tmp_path, days, start=start, rotate_after=rotate_after)
    assert not list(tmp_path.iterdir())
