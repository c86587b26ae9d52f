"""Days are read once, and kept; whatever lies where they are kept."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from exporter.answers.ask import Answers
from exporter.answers.kept_days import KeptDays
from ingest.root import PROJECT, Root
from tests.published import day_of_query, publish, publish_as_of

AS_OF = datetime(2025, 10, 28, 12)
DAY = AS_OF.date()
KEPT_DAYS = Path("g") / "analytics" / "state" / "answers"


def answer(root: Path) -> list[dict[str, Any]]:
    with Answers(Root(root)) as answers:
        return answers.rows("query_days")


def test_what_is_kept_follows_the_files(tmp_path: Path) -> None:
    publish_as_of(tmp_path, AS_OF)
    publish(
        tmp_path,
        "query_perf_daily",
        day_of_query(DAY, 4) + day_of_query(date(2025, 9, 1), 8),
    )
    first = answer(tmp_path)
    assert [row["p95_ms"] for row in first] == [8, 4]
    assert answer(tmp_path) == first
    publish(tmp_path, "query_perf_daily", day_of_query(DAY, 5))
    assert [row["p95_ms"] for row in answer(tmp_path)] == [8, 5]
    folder = tmp_path / "g" / "analytics" / "marts" / "query_perf_daily"
    (folder / "query_perf_daily_20250901.parquet").unlink()
    assert [row["p95_ms"] for row in answer(tmp_path)] == [5]


def test_what_is_kept_is_a_file_a_year(tmp_path: Path) -> None:
    publish_as_of(tmp_path, AS_OF)
    days = day_of_query(date(2024, 12, 31), 8) + day_of_query(date(2025, 1, 1), 7)
    publish(tmp_path, "query_perf_daily", days + day_of_query(DAY, 4))
    assert [row["p95_ms"] for row in answer(tmp_path)] == [8, 7, 4]
    state = tmp_path / KEPT_DAYS
    first, last = sorted(state.glob("ran.*"))
    assert (first.suffixes[-2], last.suffixes[-2]) == (".2024", ".2025")
    was = first.stat(), last.stat()
    publish(tmp_path, "query_perf_daily", day_of_query(DAY, 5))
    assert [row["p95_ms"] for row in answer(tmp_path)] == [8, 7, 5]
    now = first.stat(), last.stat()
    assert (now[0].st_ino, now[0].st_mtime_ns) == (was[0].st_ino, was[0].st_mtime_ns)
    assert now[1].st_ino != was[1].st_ino
    folder = tmp_path / "g" / "analytics" / "marts" / "query_perf_daily"
    (folder / "query_perf_daily_20241231.parquet").unlink()
    assert [row["p95_ms"] for row in answer(tmp_path)] == [7, 5]
    assert not first.exists()


def test_only_files_that_changed_are_read(tmp_path: Path) -> None:
    publish_as_of(tmp_path, AS_OF)
    publish(tmp_path, "query_perf_daily", day_of_query(DAY, 4))
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
    publish_as_of(tmp_path, AS_OF)
    publish(tmp_path, "query_perf_daily", day_of_query(DAY, 4))
    before = answer(tmp_path)
    (kept,) = (tmp_path / KEPT_DAYS).glob("ran.*")
    other = kept.with_name("ran.00000000.2025.parquet")
    other.write_bytes(b"of an older version")
    kept.write_bytes(kept.read_bytes()[:100])
    assert answer(tmp_path) == before
    assert list(kept.parent.iterdir()) == [kept]


@pytest.mark.parametrize("said", ["nope", "[1]", "{}", '{"a": 1}', "7"])
def test_what_is_kept_may_say_anything(tmp_path: Path, said: str) -> None:
    publish_as_of(tmp_path, AS_OF)
    publish(tmp_path, "query_perf_daily", day_of_query(DAY, 4))
    before = answer(tmp_path)
    (kept,) = (tmp_path / KEPT_DAYS).glob("ran.*")
    with duckdb.connect() as db:
        db.execute(
            f"copy (select 1 as a) to '{kept}' (kv_metadata {{stamps: '{said}'}})"
        )
    assert answer(tmp_path) == before
    assert answer(tmp_path) == before


def test_what_is_kept_may_hold_other_columns(tmp_path: Path) -> None:
    publish_as_of(tmp_path, AS_OF)
    publish(tmp_path, "query_perf_daily", day_of_query(DAY, 4))
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
    publish(tmp_path, "query_perf_daily", day_of_query(date(2025, 1, 1), 8))
    assert len(answer(tmp_path)) == 2


def test_nothing_hangs_on_what_lies_beside_what_is_kept(tmp_path: Path) -> None:
    publish_as_of(tmp_path, AS_OF)
    publish(tmp_path, "query_perf_daily", day_of_query(DAY, 4))
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
    publish_as_of(tmp_path, AS_OF)
    publish(tmp_path, "query_perf_daily", day_of_query(DAY, 4))
    done = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], cwd=PROJECT)
    assert done.returncode == -signal.SIGKILL
    assert not list((tmp_path / KEPT_DAYS).iterdir())
    assert list(Root(tmp_path).staging.iterdir())  # which the next run removes


def test_a_root_whose_path_acts_as_a_pattern(tmp_path: Path) -> None:
    root, other = tmp_path / "a[b]c", tmp_path / "abc"
    for place, p95 in ((root, 4), (other, 99)):
        place.mkdir()
        publish_as_of(place, AS_OF)
        publish(place, "query_perf_daily", day_of_query(DAY, p95))
        days = day_of_query(date(2024, 5, 1), p95)
        publish(place, "query_perf_daily", days)
        assert [row["p95_ms"] for row in answer(place)] == [p95, p95]
    for _ in range(2):
        assert [row["p95_ms"] for row in answer(root)] == [4, 4]
    publish(root, "query_perf_daily", day_of_query(date(2025, 1, 1), 5))
    assert [row["p95_ms"] for row in answer(root)] == [4, 5, 4]


def test_a_damaged_day_costs_no_other_year(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish_as_of(tmp_path, AS_OF)
    publish(
        tmp_path,
        "query_perf_daily",
        day_of_query(DAY, 4) + day_of_query(date(2024, 9, 1), 8),
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
    publish_as_of(tmp_path, AS_OF)
    publish(tmp_path, "query_perf_daily", day_of_query(DAY, 4))
    answer(tmp_path)
    (kept,) = (tmp_path / KEPT_DAYS).glob("ran.*")
    older = kept.read_bytes()
    publish(tmp_path, "query_perf_daily", day_of_query(date(2025, 1, 1), 8))
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
    publish(tmp_path, "query_perf_daily", day_of_query(date(2025, 1, 2), 7))
    assert len(answer(tmp_path)) == 3
    monkeypatch.undo()
    assert len(answer(tmp_path)) == 3


def test_an_empty_file_is_read_once(tmp_path: Path) -> None:
    publish_as_of(tmp_path, AS_OF)
    publish(tmp_path, "query_perf_daily", day_of_query(DAY, 4))
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
    (kept,) = (tmp_path / KEPT_DAYS).glob("drifted.*")
    with duckdb.connect() as db:
        found = db.execute(
            "select json_keys(decode(value)) "
            f"from parquet_kv_metadata('{kept}') where decode(key) = 'stamps'"
        ).fetchall()
        assert found == [([str(place)],)]
        assert db.execute(f"select count(*) from '{kept}'").fetchall() == [(0,)]
