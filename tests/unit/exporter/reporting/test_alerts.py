from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest

from exporter.reporting.alerts import carry_over, evaluate_alerts, stale_sources
from exporter.reporting.results import FileResult, RunResult
from exporter.reporting.stored import Stored
from exporter.reporting.thresholds import Thresholds

NOW = datetime(2025, 10, 30, 2, 30)
LIMITS = Thresholds()


def file(dataset: str = "query_perf", **changes: object) -> FileResult:
    usual = FileResult(
        dataset, "2025-10-28", f"p/{dataset}_20251028.parquet", "exported",
        rows=1000, source_bytes=100_000, parquet_bytes=20_000,
    )  # fmt: skip
    return replace(usual, **changes)  # type: ignore[arg-type]


def run(*files: FileResult) -> RunResult:
    return RunResult(started=NOW, files=list(files))


def stored(**changes: object) -> Stored:
    return Stored(csv_bytes={"2025-10-28": 100_000}, **changes)  # type: ignore[arg-type]


def test_a_good_run_is_found_well_in_all() -> None:
    found = evaluate_alerts(run(file(), file("ops_atomic")), stored(), LIMITS, NOW)
    assert set(found.values()) == {None}
    assert set(found) == {
        "settings", "storage", "size:query_perf", "rejects:query_perf",
        "compression:query_perf", "size:ops_atomic", "rejects:ops_atomic",
    }  # fmt: skip


def test_a_dataset_that_was_not_published_is_not_judged() -> None:
    found = evaluate_alerts(run(file(status="skipped")), stored(), LIMITS, NOW)
    assert set(found) == {"settings", "storage"}


def test_storage_above_the_limit() -> None:
    full = stored(parquet_bytes=4_000_000_000, landing_bytes=1_500_000_000)
    text = evaluate_alerts(run(), full, LIMITS, NOW)["storage"]
    assert text == "storage: Parquet and landing take 5.50 GB, more than 5 GB"
    roomy = Thresholds(max_storage_gb=5.5)
    assert evaluate_alerts(run(), full, roomy, NOW)["storage"] is None


@pytest.mark.parametrize(("rejects", "is_much"), [(0, False), (5, False), (6, True)])
def test_rejects_above_a_share(rejects: int, is_much: bool) -> None:
    day = file(rows=100 - rejects, rejected_rows=rejects)
    text = evaluate_alerts(run(day), stored(), LIMITS, NOW)["rejects:query_perf"]
    assert bool(text) == is_much


def test_a_day_without_records_has_no_share_of_rejects() -> None:
    day = file(rows=0)
    assert (
        evaluate_alerts(run(day), stored(), LIMITS, NOW)["rejects:query_perf"] is None
    )


def test_rejects_and_drift_are_not_rejected_themselves() -> None:
    found = evaluate_alerts(
        run(file("rejected_records", rows=0)), stored(), LIMITS, NOW
    )
    assert "rejects:rejected_records" not in found


def test_large_days_are_told_in_one_line() -> None:
    days = [file(parquet_bytes=size) for size in (5_000_000, 5_100_000, 7_000_000)]
    text = evaluate_alerts(run(*days), stored(), LIMITS, NOW)["size:query_perf"]
    assert text is not None
    assert text.endswith("7.0 MB, more than 5 MB for a day (and 1 more day)")


@pytest.mark.parametrize(
    ("rows", "parquet_bytes", "is_poor"),
    [(101, 30_001, True), (101, 30_000, False), (100, 99_000, False)],
)
def test_compression_is_judged_by_the_csv(
    rows: int, parquet_bytes: int, is_poor: bool
) -> None:
    # Other inputs of the day count for nothing.
    day = file(rows=rows, parquet_bytes=parquet_bytes, source_bytes=9_000_000)
    text = evaluate_alerts(run(day), stored(), LIMITS, NOW)["compression:query_perf"]
    assert bool(text) == is_poor


def test_a_day_that_grew_is_said_to_have() -> None:
    day = file(parquet_bytes=200_000)
    text = evaluate_alerts(run(day), stored(), LIMITS, NOW)["compression:query_perf"]
    assert text == f"{day.path}: not smaller than its CSV, less than 70%"


def test_a_day_without_csv_has_no_compression() -> None:
    found = evaluate_alerts(run(file(parquet_bytes=999_000)), Stored(), LIMITS, NOW)
    assert found["compression:query_perf"] is None


@pytest.mark.parametrize(
    ("watched", "limit"),
    [("heartbeats", timedelta(minutes=60)), ("csv", timedelta(hours=48))],
)
def test_silence_is_stale_only_beyond_the_limit(watched: str, limit: timedelta) -> None:
    quiet = stored(heard_at={watched: NOW - limit})
    assert evaluate_alerts(run(), quiet, LIMITS, NOW)[f"stale:{watched}"] is None
    silent = stored(heard_at={watched: NOW - limit - timedelta(seconds=1)})
    assert evaluate_alerts(run(), silent, LIMITS, NOW)[f"stale:{watched}"]


def test_what_never_had_data_is_not_watched() -> None:
    assert not any(
        key.startswith("stale:")
        for key in evaluate_alerts(run(), Stored(), LIMITS, NOW)
    )


def test_a_heartbeat_from_the_future_is_no_silence() -> None:
    ahead = stored(heard_at={"heartbeats": NOW + timedelta(hours=3)})
    assert evaluate_alerts(run(), ahead, LIMITS, NOW)["stale:heartbeats"] is None


def test_silence_while_the_machine_slept_is_left_open() -> None:
    asleep = stored(heard_at={"heartbeats": NOW - timedelta(hours=8)})
    just_woken = evaluate_alerts(run(), asleep, LIMITS, NOW, NOW - timedelta(minutes=1))
    assert "stale:heartbeats" not in just_woken
    long_awake = evaluate_alerts(run(), asleep, LIMITS, NOW, NOW - timedelta(hours=2))
    assert long_awake["stale:heartbeats"] == (
        "no heartbeat for 8 hours, the last is of 2025-10-29 18:30"
    )


@pytest.mark.parametrize(
    ("hours", "said"), [(1.5, "90 minutes"), (47, "47 hours"), (49, "2 days")]
)
def test_an_age_is_said_in_the_unit_that_fits(hours: float, said: str) -> None:
    quiet = stored(heard_at={"heartbeats": NOW - timedelta(hours=hours)})
    text = evaluate_alerts(run(), quiet, LIMITS, NOW)["stale:heartbeats"]
    assert text is not None
    assert f"for {said}," in text


def test_a_csv_is_named_by_its_day() -> None:
    quiet = stored(heard_at={"csv": datetime(2025, 10, 20)})
    text = evaluate_alerts(run(), quiet, LIMITS, NOW)["stale:csv"]
    assert text == "no query_perf CSV for 10 days, the last is of 2025-10-19"


def test_bad_settings_are_a_finding() -> None:
    odd = Thresholds(problems=("a is odd", "b is odd"))
    assert (
        evaluate_alerts(run(), Stored(), odd, NOW)["settings"] == "a is odd; b is odd"
    )


def test_stale_sources_are_those_of_the_landing() -> None:
    assert stale_sources({"stale:csv": "no CSV", "stale:heartbeats": None}) == {
        "query_rows",
        "query_patterns",
    }


def drift(**last: date) -> Stored:
    """query_patterns with columns that were last seen to be new on a day."""
    seen = {
        ("query_patterns", "added", name): (f"{name}.csv", day)
        for name, day in last.items()
    }
    newest = [("query_patterns", date(2025, 10, 28), 2)]
    return stored(newest=newest, drift_seen=seen)


def test_drift_is_told_in_a_line_per_source() -> None:
    day = date(2025, 10, 27)
    found = evaluate_alerts(run(), drift(a=day, b=day, c=day), LIMITS, NOW)
    assert found["drift:query_patterns"] == (
        "query_patterns: 3 columns are new: a, b, c (first in a.csv)"
    )
    many = drift(**{f"c{n:02}": day for n in range(12)})
    text = evaluate_alerts(run(), many, LIMITS, NOW)["drift:query_patterns"]
    assert text is not None
    assert "12 columns are new: c00, " in text
    assert " c09 and 2 more (first in c00.csv)" in text


def test_drift_that_is_seen_no_more_is_over() -> None:
    found = evaluate_alerts(run(), drift(a=date(2025, 10, 1)), LIMITS, NOW)
    assert found["drift:query_patterns"] is None


def test_what_was_not_judged_anew_stands() -> None:
    findings: dict[str, str | None] = {"size:query_perf": None, "storage": None}
    before = {"size:query_perf": "a", "rejects:query_perf": "b", "stale:csv": "c"}
    carry_over(findings, before)
    assert findings == {
        "size:query_perf": None, "storage": None, "rejects:query_perf": "b",
    }  # fmt: skip
