"""Which files are read, what their names tell, and how they are opened."""

from __future__ import annotations

import calendar
import os
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from ingest.inputs import (
    InputFile,
    NotAFile,
    StillWritten,
    epoch_seconds,
    input_path,
    live_file,
)
from ingest.listing import Known, list_inputs
from ingest.masking.masks import load_masks
from ingest.names import dated_day, kind_of, name_date
from ingest.root import Root

MASKS = load_masks()
NOW = datetime(2025, 11, 2, 12)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("heartbeat_2025-10-27_01-02-03.md", "heartbeats"),
        ("heartbeat_2025-10-27.md", None),
        ("query_perf_daily_20251027.csv", "dated"),
        ("query_perf_weekly_202543.json", "dated"),
        ("query_perf_daily_20251027.csv\n", None),
        ("query_perf.jsonl", "query_log"),
        ("health_20251208.json", "health"),
        ("20251116_031933.md", "mcp_health"),
        ("20251116_0319.md", None),
        ("OPS_ATOMIC_251016_144039.md", "daily_run"),
        ("rollup_daily.ndjson", "telemetry"),
        ("index_advisor_report.json", "index_advisor"),
        ("optimization_summary.txt", "optimization_summary"),
        ("optimization_summary_a\nb.txt", "optimization_summary"),
        ("query_perf_daily_٢٠٢٥١٠٢٧.csv", None),
    ],
)
def test_the_name_tells_the_kind(name: str, kind: str | None) -> None:
    assert kind_of(name) == kind


@pytest.mark.parametrize(
    ("name", "day"),
    [
        ("query_perf_daily_20240229.csv", date(2024, 2, 29)),
        ("query_perf_daily_20250229.csv", None),
        ("query_perf_weekly_202053.csv", date(2020, 12, 28)),
        ("query_perf_weekly_202101.csv", date(2021, 1, 4)),
        ("query_perf_weekly_202553.csv", None),
        ("query_perf_weekly_202500.csv", None),
        ("other.csv", None),
    ],
)
def test_the_day_of_a_dated_file(name: str, day: date | None) -> None:
    assert dated_day(name) == day


def test_a_date_in_any_name() -> None:
    assert name_date("a_20251332_2025-10-27.txt") == date(2025, 10, 27)
    assert name_date("a_20251332.txt") is None


@pytest.mark.parametrize("mtime", [float("nan"), float("inf"), -1e300, 1e300, -0.5])
def test_any_modification_time_is_a_time(mtime: float) -> None:
    assert input_file(epoch_seconds(mtime)).modified == NOW


def input_file(mtime: int, now: datetime = NOW) -> InputFile:
    return InputFile("a.txt", "telemetry", "a.txt", mtime, now, 0, NotImplemented)


def test_a_modification_time_in_the_future_is_the_moment_of_reading() -> None:
    now = calendar.timegm(NOW.timetuple())
    for mtime, epoch, modified in (
        (now, now, NOW),
        (now - 1, now - 1, NOW - timedelta(seconds=1)),
        (now + 1, -now, NOW),
        # What was made without a time is the oldest, and of no day.
        (0, 0, NOW),
        (-(1 << 40), 0, NOW),
    ):
        found = input_file(mtime)
        assert (found.epoch, found.modified) == (epoch, modified)
        assert found.is_timed == (modified != NOW or mtime == now)


def test_keys_hold_no_secrets_and_can_be_stored() -> None:
    assert input_path("g/reports/a.txt", MASKS).key == "g/reports/a.txt"
    secret = "g/reports/optimization_summary_token=hunter2hunter2.txt"
    other = "g/reports/optimization_summary_token=hunter3hunter3.txt"
    place = input_path(secret, MASKS)
    assert place.path == secret
    assert "hunter2" not in place.shown + place.key
    assert place.key != input_path(other, MASKS).key
    input_path("g/\udcff/a.txt", MASKS).key.encode()


def test_only_regular_files_are_read(tmp_path: Path) -> None:
    root = Root(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    for name in ("pipe", "folder"):
        with pytest.raises(NotAFile):
            live_file(root, input_path(name, MASKS), "telemetry", NOW)
    with pytest.raises(FileNotFoundError):
        live_file(root, input_path("nothing", MASKS), "telemetry", NOW)
    (tmp_path / "late").write_text("x")
    input_file = live_file(root, input_path("late", MASKS), "telemetry", NOW)
    (tmp_path / "late").unlink()
    os.mkfifo(tmp_path / "late")
    with pytest.raises(NotAFile):
        input_file.open().__enter__()


def test_a_report_that_grows_while_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "index_advisor_report.json"
    path.write_text("{")
    input_file = live_file(
        Root(tmp_path), input_path(path.name, MASKS), "index_advisor", NOW
    )
    opened = input_file.open()
    assert opened.__enter__().read() == b"{"
    path.write_text("{}")
    with pytest.raises(StillWritten):
        opened.__exit__(None, None, None)


def test_the_inventory(tmp_path: Path) -> None:
    names = (
        "g/reports/a/b/heartbeat_2025-10-27_01-02-03.md",
        "g/reports/parquet/heartbeat_2025-10-27_01-02-04.md",
        "g/reports/query_perf.jsonl",
        "g/reports/archive/reports_20251027_010203.tar.gz",
        "g/reports/archive/other.tar.gz",
        "g/reports/rollup_daily.ndjson",
        "g/telemetry/rollup_daily.ndjson",
        "knowledge/optimize/optimization_summary.txt",
        "g/reports/optimization_summary_20251027.txt",
    )
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "g/reports/loop").symlink_to(tmp_path / "g")
    found = list_inputs(Root(tmp_path))
    assert found.heartbeats == [("g/reports/a/b", ["heartbeat_2025-10-27_01-02-03.md"])]
    assert [path for path, _ in found.others] == [
        "g/reports/optimization_summary_20251027.txt",
        "g/reports/query_perf.jsonl",
        "g/telemetry/rollup_daily.ndjson",
        "knowledge/optimize/optimization_summary.txt",
    ]
    assert found.bundles == ["g/reports/archive/reports_20251027_010203.tar.gz"]
    assert list_inputs(Root(tmp_path), Known()).heartbeats == found.heartbeats
    assert not list_inputs(Root(tmp_path / "nothing")).others


def test_heartbeats_that_are_known_and_old_are_left_out(tmp_path: Path) -> None:
    old, young, new = (f"heartbeat_2025-10-2{n}_01-02-03.md" for n in (5, 7, 6))
    folder = tmp_path / "g/reports/heartbeat_2025"
    folder.mkdir(parents=True)
    for name in (old, young, new):
        (folder / name).touch()
    known = Known(young, {old, young})
    [(path, names)] = list_inputs(Root(tmp_path), known).heartbeats
    assert path == "g/reports/heartbeat_2025"
    assert sorted(names) == [new, young]
