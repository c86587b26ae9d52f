"""The answers, over marts of a few rows that were worked out by hand."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from exporter.answers.ask import Answers, answer_names
from exporter.answers.kept_days import KeptDays
from ingest.root import PROJECT, Root
from tests.published import publish

AS_OF = datetime(2025, 10, 28, 12)
DAY = AS_OF.date()
LONG_AGO = date(2025, 9, 1)


def at(hour: float, days_ago: int = 0) -> datetime:
    midnight = datetime(2025, 10, 28) - timedelta(days=days_ago)
    return midnight + timedelta(hours=hour)


def span(key: str, state: str, start: datetime, end: datetime, **more: Any) -> Any:
    return {
        "machine": "m",
        "check_key": key,
        "state": state,
        "started_at": start,
        "ended_at": end,
        "duration_s": (end - start).total_seconds(),
        "last_heartbeat_at": start,
        "date_partition": start.date(),
        **more,
    }


def as_of(root: Path, moment: datetime = AS_OF) -> None:
    seen = {"machine": "m", "source": "heartbeats", "dataset": "ops_atomic"}
    age = {"last_record_at": moment - timedelta(minutes=2), "age_s": 120.0}
    judged = {"allowed_age_s": 3600.0, "is_stale": False, "status": "fresh"}
    publish(root, "dataset_freshness", [{**seen, **age, **judged}])


def row_of(rows: list[dict[str, Any]], **cells: Any) -> dict[str, Any]:
    (found,) = [row for row in rows if cells.items() <= row.items()]
    return found


@pytest.mark.parametrize("name", answer_names())
def test_a_fresh_root_has_an_answer(tmp_path: Path, name: str) -> None:
    with Answers(Root(tmp_path)) as answers:
        rows = answers.rows(name)
    if name == "status":
        (row,) = rows
        assert row["state"] is None
        assert row["open_incidents"] == 0
    elif name == "incident_counts":
        assert {row["incidents"] + row["short_gaps"] for row in rows} == {0}
    else:
        assert rows == []


def test_the_marts_own_moment_is_the_present_one(tmp_path: Path) -> None:
    as_of(tmp_path)
    with Answers(Root(tmp_path)) as answers:
        assert answers.as_of == AS_OF


def test_a_state_goes_back_over_midnights(tmp_path: Path) -> None:
    as_of(tmp_path)
    publish(
        tmp_path,
        "check_states",
        [
            span("redis", "up", at(0, 2), at(20, 2)),
            span("redis", "down", at(20, 2), at(0, 1), message="refused"),
            span("redis", "down", at(0, 1), at(0, 0), message="timed out"),
            span("redis", "down", at(0, 0), AS_OF),
        ],
    )
    with Answers(Root(tmp_path)) as answers:
        (check,) = answers.rows("checks")
        (status,) = answers.rows("status")
    assert (check["state"], check["since"]) == ("down", at(20, 2))
    assert check["message"] == "refused"
    assert (status["state"], status["cause"]) == ("down", "refused")
    assert (status["checks_down"], status["checks_up"]) == (1, 0)


def test_after_the_last_heartbeat_nothing_is_known(tmp_path: Path) -> None:
    as_of(tmp_path)
    publish(tmp_path, "check_states", [span("redis", "up", at(0, 3), at(0, 2))])
    with Answers(Root(tmp_path)) as answers:
        (check,) = answers.rows("checks")
        days = [row for row in answers.rows("uptime") if row["grain"] == "day"]
    assert (check["state"], check["since"]) == ("unknown", at(0, 2))
    assert [(row["started_at"], row["up_s"], row["unknown_s"]) for row in days] == [
        (at(0, 3), 86400, 0),
        (at(0, 2), 0, 86400),
        (at(0, 1), 0, 86400),
        (at(0, 0), 0, 43200),
    ]


def test_a_check_that_was_given_up_is_no_current_one(tmp_path: Path) -> None:
    as_of(tmp_path)
    spans = [
        span("disk/old", "down", at(0, 1), at(0, 0)),
        span("redis", "up", at(0, 0), AS_OF),
    ]
    publish(tmp_path, "check_states", spans)
    with Answers(Root(tmp_path)) as answers:
        assert [row["check_key"] for row in answers.rows("checks")] == ["redis"]
        assert {row["check_key"] for row in answers.rows("uptime")} == {
            "redis",
            "disk/old",
        }


def test_hours_split_the_spans(tmp_path: Path) -> None:
    as_of(tmp_path)
    spans = [
        span("redis", "up", at(0, 0), at(9.75)),
        span("redis", "down", at(9.75), at(10.5)),
        span("redis", "maintenance", at(10.5), AS_OF),
    ]
    publish(tmp_path, "check_states", spans)
    with Answers(Root(tmp_path)) as answers:
        hours = [row for row in answers.rows("uptime") if row["grain"] == "hour"]
    nine = row_of(hours, started_at=at(9))
    ten = row_of(hours, started_at=at(10))
    assert (nine["up_s"], nine["down_s"]) == (2700, 900)
    assert nine["uptime_observed"] == 0.75
    assert (ten["down_s"], ten["maintenance_s"]) == (1800, 1800)
    assert ten["ended_at"] == at(11)


@pytest.mark.parametrize(("days", "grain"), [(60, "week"), (900, "month")])
def test_the_whole_history_is_told_in_few_stretches(
    tmp_path: Path, days: int, grain: str
) -> None:
    as_of(tmp_path)
    spans = [
        span("redis", "up", at(0, ago), min(at(0, ago - 1), AS_OF))
        for ago in (days, *range(2, -1, -1))
    ]
    publish(tmp_path, "check_states", spans)
    with Answers(Root(tmp_path)) as answers:
        rows = answers.rows("uptime")
    long = [row for row in rows if row["grain"] in ("week", "month")]
    assert {row["grain"] for row in long} == {grain}
    assert sum(row["up_s"] for row in long) == 3 * 86400 + 43200


def queries(day: date, p95: float) -> list[dict[str, Any]]:
    row = {"machine": "m", "query_hash": "q1", "date_partition": day}
    took = {"executions": 2, "total_ms": 10.0, "p95_ms": p95, "day_p95_ms": p95}
    return [{**row, **took, "max_ms": p95, "rows_examined": 9.0, "rows_returned": 3.0}]


def test_a_range_sums_its_days(tmp_path: Path) -> None:
    as_of(tmp_path)
    publish(
        tmp_path, "query_perf_daily", queries(DAY, 4) + queries(date(2025, 9, 1), 8)
    )
    text = {"query_hash": "q1", "query_text": "select 1", "date_partition": DAY}
    publish(tmp_path, "query_texts", [text | {"last_seen": at(9)}])
    with Answers(Root(tmp_path)) as answers:
        rows = answers.rows("queries")
    today, ever = row_of(rows, period="7d"), row_of(rows, period="all")
    assert (today["executions"], today["p95_ms"]) == (2, 4)
    assert (ever["executions"], ever["p95_ms"], ever["max_ms"]) == (4, 6, 8)
    assert ever["query_text"] == "select 1"
    assert ever["examined_per_returned"] == 3


def answer(root: Path) -> list[dict[str, Any]]:
    with Answers(Root(root)) as answers:
        return answers.rows("query_days")


def test_what_is_kept_follows_the_files(tmp_path: Path) -> None:
    as_of(tmp_path)
    publish(
        tmp_path, "query_perf_daily", queries(DAY, 4) + queries(date(2025, 9, 1), 8)
    )
    first = answer(tmp_path)
    assert [row["p95_ms"] for row in first] == [8, 4]
    assert answer(tmp_path) == first
    publish(tmp_path, "query_perf_daily", queries(DAY, 5))
    assert [row["p95_ms"] for row in answer(tmp_path)] == [8, 5]
    folder = tmp_path / "g" / "analytics" / "marts" / "query_perf_daily"
    (folder / "query_perf_daily_20250901.parquet").unlink()
    assert [row["p95_ms"] for row in answer(tmp_path)] == [5]


def test_what_is_kept_is_a_file_a_year(tmp_path: Path) -> None:
    as_of(tmp_path)
    days = queries(date(2024, 12, 31), 8) + queries(date(2025, 1, 1), 7)
    publish(tmp_path, "query_perf_daily", days + queries(DAY, 4))
    assert [row["p95_ms"] for row in answer(tmp_path)] == [8, 7, 4]
    state = tmp_path / "g" / "analytics" / "state" / "answers"
    first, last = sorted(state.glob("ran.*"))
    assert (first.suffixes[-2], last.suffixes[-2]) == (".2024", ".2025")
    was = first.stat(), last.stat()
    publish(tmp_path, "query_perf_daily", queries(DAY, 5))
    assert [row["p95_ms"] for row in answer(tmp_path)] == [8, 7, 5]
    now = first.stat(), last.stat()
    assert (now[0].st_ino, now[0].st_mtime_ns) == (was[0].st_ino, was[0].st_mtime_ns)
    assert now[1].st_ino != was[1].st_ino
    folder = tmp_path / "g" / "analytics" / "marts" / "query_perf_daily"
    (folder / "query_perf_daily_20241231.parquet").unlink()
    assert [row["p95_ms"] for row in answer(tmp_path)] == [7, 5]
    assert not first.exists()


def test_only_files_that_changed_are_read(tmp_path: Path) -> None:
    as_of(tmp_path)
    publish(tmp_path, "query_perf_daily", queries(DAY, 4))
    before = answer(tmp_path)
    file = next((tmp_path / "g" / "analytics" / "marts").glob("*/*_20251028.parquet"))
    stat = file.stat()
    file.write_bytes(b"x" * stat.st_size)
    os.utime(file, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert answer(tmp_path) == before
    os.utime(file, ns=(stat.st_atime_ns, stat.st_mtime_ns + 1))
    with pytest.raises(duckdb.Error, match="query_perf_daily_20251028"):
        answer(tmp_path)


def test_what_is_kept_may_be_torn_or_of_another_query(tmp_path: Path) -> None:
    as_of(tmp_path)
    publish(tmp_path, "query_perf_daily", queries(DAY, 4))
    before = answer(tmp_path)
    (kept,) = (tmp_path / "g" / "analytics" / "state" / "answers").glob("ran.*")
    other = kept.with_name("ran.00000000.2025.parquet")
    other.write_bytes(b"of an older version")
    kept.write_bytes(kept.read_bytes()[:100])
    assert answer(tmp_path) == before
    assert list(kept.parent.iterdir()) == [kept]


KEPT_DAYS = Path("g") / "analytics" / "state" / "answers"


@pytest.mark.parametrize("said", ["nope", "[1]", "{}", '{"a": 1}', "7"])
def test_what_is_kept_may_say_anything(tmp_path: Path, said: str) -> None:
    as_of(tmp_path)
    publish(tmp_path, "query_perf_daily", queries(DAY, 4))
    before = answer(tmp_path)
    (kept,) = (tmp_path / KEPT_DAYS).glob("ran.*")
    with duckdb.connect() as db:
        db.execute(
            f"copy (select 1 as a) to '{kept}' (kv_metadata {{stamps: '{said}'}})"
        )
    assert answer(tmp_path) == before
    assert answer(tmp_path) == before


def test_what_is_kept_may_hold_other_columns(tmp_path: Path) -> None:
    as_of(tmp_path)
    publish(tmp_path, "query_perf_daily", queries(DAY, 4))
    before = answer(tmp_path)
    (kept,) = (tmp_path / KEPT_DAYS).glob("ran.*")
    with duckdb.connect() as db:
        ((said,),) = db.execute(
            "select decode(value) from parquet_kv_metadata($1)", [str(kept)]
        ).fetchall()
        db.execute(
            f"copy (select 1 as a) to '{kept}' (kv_metadata {{stamps: '{said}'}})"
        )
    assert answer(tmp_path) == before
    publish(tmp_path, "query_perf_daily", queries(date(2025, 1, 1), 8))
    assert len(answer(tmp_path)) == 2


def test_nothing_hangs_on_what_lies_beside_what_is_kept(tmp_path: Path) -> None:
    as_of(tmp_path)
    publish(tmp_path, "query_perf_daily", queries(DAY, 4))
    (tmp_path / KEPT_DAYS / "ran.00000000.2020.parquet").mkdir(parents=True)
    first = answer(tmp_path)
    (kept,) = (tmp_path / KEPT_DAYS).glob("ran.*.2025.parquet")
    kept.unlink()
    kept.mkdir()
    assert answer(tmp_path) == first
    kept.rmdir()
    os.mkfifo(kept)
    assert answer(tmp_path) == first


# At the moment when a year that is made would be put into its place.
KILLED = """
import os, signal, sys
from pathlib import Path
from exporter.answers.ask import Answers
from ingest.root import Root
os.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
Answers(Root(Path(sys.argv[1]))).rows("query_days")
"""


def test_a_process_that_is_killed_leaves_nothing_beside_what_is_kept(
    tmp_path: Path,
) -> None:
    as_of(tmp_path)
    publish(tmp_path, "query_perf_daily", queries(DAY, 4))
    done = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], cwd=PROJECT)
    assert done.returncode == -signal.SIGKILL
    assert not list((tmp_path / KEPT_DAYS).iterdir())
    assert list(Root(tmp_path).staging.iterdir())  # which the next run removes


def test_a_root_whose_path_acts_as_a_pattern(tmp_path: Path) -> None:
    root, other = tmp_path / "a[b]c", tmp_path / "abc"
    for place, p95 in ((root, 4), (other, 99)):
        place.mkdir()
        as_of(place)
        publish(place, "query_perf_daily", queries(DAY, p95))
        days = queries(date(2024, 5, 1), p95)
        publish(place, "query_perf_daily", days)
        assert [row["p95_ms"] for row in answer(place)] == [p95, p95]
    for _ in range(2):
        assert [row["p95_ms"] for row in answer(root)] == [4, 4]
    publish(root, "query_perf_daily", queries(date(2025, 1, 1), 5))
    assert [row["p95_ms"] for row in answer(root)] == [4, 5, 4]


def test_a_damaged_day_costs_no_other_year(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_of(tmp_path)
    publish(
        tmp_path, "query_perf_daily", queries(DAY, 4) + queries(date(2024, 9, 1), 8)
    )
    answer(tmp_path)
    made: list[tuple[str, str]] = []
    make = KeptDays._make

    def counted(self: KeptDays, db: Any, year: str, *more: Any) -> None:
        made.append((self.name, year))
        make(self, db, year, *more)

    monkeypatch.setattr(KeptDays, "_make", counted)
    file = next((tmp_path / "g" / "analytics" / "marts").glob("*/*_20251028.parquet"))
    file.write_bytes(b"torn")
    with pytest.raises(duckdb.Error, match="query_perf_daily_20251028"):
        answer(tmp_path)
    assert made == [("ran", "2025")]


def test_a_year_that_another_process_makes_again_meanwhile_is_not_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_of(tmp_path)
    publish(tmp_path, "query_perf_daily", queries(DAY, 4))
    answer(tmp_path)
    (kept,) = (tmp_path / KEPT_DAYS).glob("ran.*")
    older = kept.read_bytes()
    publish(tmp_path, "query_perf_daily", queries(date(2025, 1, 1), 8))
    both = answer(tmp_path)
    assert len(both) == 2
    found = KeptDays._kept

    def replaced(self: KeptDays, db: Any) -> Any:
        of_now = found(self, db)
        if self.name == "ran":  # by one that had listed the files before
            kept.with_name("new").write_bytes(older)
            kept.with_name("new").replace(kept)
        return of_now

    monkeypatch.setattr(KeptDays, "_kept", replaced)
    assert answer(tmp_path) == both
    publish(tmp_path, "query_perf_daily", queries(date(2025, 1, 2), 7))
    assert len(answer(tmp_path)) == 3
    monkeypatch.undo()
    assert len(answer(tmp_path)) == 3


def test_an_empty_file_is_read_once(tmp_path: Path) -> None:
    as_of(tmp_path)
    publish(tmp_path, "query_perf_daily", queries(DAY, 4))
    publish(tmp_path, "schema_drift", [])
    folder = tmp_path / "g" / "analytics" / "schema_drift"
    folder.mkdir()
    columns = "null::varchar as source, null::varchar as source_file, null::varchar "
    columns += "as kind, null::varchar as name, null::date as date_partition"
    with duckdb.connect() as db:
        place = folder / "schema_drift_20251028.parquet"
        db.execute(f"copy (select {columns} where false) to '{place}'")
    for _ in range(2):
        with Answers(Root(tmp_path)) as answers:
            assert answers.rows("drift") == []
    (kept,) = (tmp_path / "g" / "analytics" / "state" / "answers").glob("drifted.*")
    with duckdb.connect() as db:
        found = db.execute(
            "select json_keys(decode(value)) "
            f"from parquet_kv_metadata('{kept}') where decode(key) = 'stamps'"
        ).fetchall()
        assert found == [([str(place)],)]
        assert db.execute(f"select count(*) from '{kept}'").fetchall() == [(0,)]


def test_what_does_not_fit_goes_to_the_disk_and_is_gone_in_the_end(
    tmp_path: Path,
) -> None:
    root = Root(tmp_path)
    with Answers(root) as answers:
        found = answers.db.execute(
            "select current_setting('memory_limit'), current_setting('temp_directory')"
        )
        assert found.fetchall() == [("128.0 MiB", str(answers.spilled))]
        answers.db.execute("set memory_limit = '16MiB'")
        much = "select md5(i::varchar) from range(1_000_000) t(i)"
        answers.db.execute(f"create temp table much as {much}")
        assert any(answers.spilled.iterdir())
    assert not root.staging.exists()
