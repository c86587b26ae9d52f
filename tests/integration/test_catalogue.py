"""The catalogue file: always right, never in the way of a run."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from datetime import date, datetime
from pathlib import Path

import duckdb
import pytest

from ingest.root import EXAMPLE_ROOT
from tests import faults, support

CATALOGUE = "g/analytics/ops_atomic.duckdb"
# Which is what DuckDB 1.0 to 1.1 write, and open.
OLDEST_VERSION = 64

READER = """
import duckdb, sys
with duckdb.connect(sys.argv[1], read_only=True) as db:
    for line in sys.stdin:
        rows = db.execute("select count(distinct date_partition) from query_perf")
        print(rows.fetchone()[0], flush=True)
"""


def ask(root: Path, query: str) -> list[tuple[object, ...]]:
    with duckdb.connect(str(root / CATALOGUE), read_only=True) as db:
        return db.execute(query).fetchall()


def left(root: Path) -> tuple[int, int]:
    seen = (root / CATALOGUE).stat()
    return seen.st_ino, seen.st_mtime_ns


def add(root: Path, day: date) -> None:
    old = root / "g/reports/query_perf_daily_20251028.csv"
    text = old.read_text(encoding="utf-8").replace("2025-10-28", str(day))
    faults.write(root / f"g/reports/query_perf_daily_{day:%Y%m%d}.csv", text)


def test_every_run_leaves_one_that_explains_itself(root: Path) -> None:
    silent = """
        select view_name from duckdb_views()
        where not internal and coalesce(comment, '') = ''
        union all
        select table_name || '.' || column_name from duckdb_columns()
        where not internal and coalesce(comment, '') = ''
        union all
        select function_name from duckdb_functions()
        where not internal and coalesce(comment, '') = ''
    """
    assert ask(root, silent) == []
    assert ask(root, "select count(*) from ops_atomic")[0][0]
    assert not list((root / "g/analytics").glob("*.wal"))
    assert not faults.leftovers(root)
    assert (root / CATALOGUE).stat().st_mode & 0o222 == 0


def test_an_old_duckdb_opens_it(root: Path) -> None:
    head = (root / CATALOGUE).read_bytes()[:20]
    assert head[8:12] == b"DUCK"
    assert int.from_bytes(head[12:20], "little") == OLDEST_VERSION


def test_it_is_there_without_any_data(empty_root: Path) -> None:
    faults.export(empty_root)
    names = ask(empty_root, "select view_name from duckdb_views() where not internal")
    for (name,) in names:
        # What is expected is named there before it was ever seen.
        seen = "where last_day is not null" if name == "dataset_freshness" else ""
        assert ask(empty_root, f"from {name} {seen}") == []
    assert ask(empty_root, "select avg_query_time(7), uptime('redis', 7)") == [
        (None, None)
    ]
    assert ask(empty_root, "from open_incidents()") == []
    assert ask(empty_root, "from slow_queries(0)") == []


def test_a_new_day_shows_without_its_being_written_again(root: Path) -> None:
    add(root, date(2025, 11, 2))
    faults.export(root)  # the first that tells of an earlier run
    before = left(root)
    faults.export(root)
    assert left(root) == before
    add(root, date(2025, 11, 3))
    faults.export(root)
    assert left(root) == before
    days = ask(root, "select max(date_partition) from query_perf")
    assert days == [(date(2025, 11, 3),)]


def test_a_root_that_has_moved_is_followed_by_the_next_run(
    root: Path, tmp_path: Path
) -> None:
    faults.export(root)
    moved = tmp_path / "it's [another] place"
    root.rename(moved)
    with pytest.raises(duckdb.Error):
        ask(moved, "from ops_atomic")
    faults.export(moved)
    assert ask(moved, "select count(*) from ops_atomic")[0][0]


@pytest.mark.parametrize("damage", ["gone", "scribbled", "a log of writes"])
def test_what_happened_to_it_is_mended_by_the_next_run(root: Path, damage: str) -> None:
    path = root / CATALOGUE
    if damage == "a log of writes":
        path.with_name(f"{path.name}.wal").write_bytes(b"of another")
    path.unlink()
    if damage == "scribbled":
        path.write_bytes(b"no database")
    faults.export(root)
    assert ask(root, "select count(*) from ops_atomic")[0][0]


def test_a_reader_stops_no_run_and_a_run_no_reader(tmp_path: Path) -> None:
    root = support.copy_root(EXAMPLE_ROOT, tmp_path / "root")
    reports = root / "g/reports"
    later = [*reports.glob("query_perf*"), *reports.glob("index_*")]
    aside = tmp_path / "aside"
    aside.mkdir()
    for path in later:
        shutil.move(path, aside / path.name)
    faults.export(root)
    reader = subprocess.Popen(
        [sys.executable, "-c", READER, str(root / CATALOGUE)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=dict(os.environ),
    )
    with reader:

        def asked() -> str:
            assert reader.stdin
            assert reader.stdout
            reader.stdin.write("\n")
            reader.stdin.flush()
            return reader.stdout.readline().strip()

        assert asked() == "0"
        before = left(root)
        for path in later:
            shutil.move(aside / path.name, path)
        faults.export(root)
        # The first files of a dataset make its view another one.
        assert left(root) != before
        assert asked() == "0"
        reader.communicate()
        assert reader.returncode == 0
    assert ask(root, "select count(distinct date_partition) from query_perf") == [(3,)]


def test_advice_says_why_with_or_without_a_name(empty_root: Path) -> None:
    """The second recommendation tells neither an index nor what would create it."""
    report = empty_root / "knowledge/optimize/index_advisor_report.json"
    advised = [
        {"table": "orders", "index": "idx_orders_at", "reason": "a scan"},
        {"table": "users", "reason": "a sort", "priority": "high"},
    ]
    told = {"timestamp": "2025-10-28T04:00:00Z", "recommendations": advised}
    faults.write(report, json.dumps(told))
    faults.export(empty_root)
    found = ask(
        empty_root,
        "select table_name, recommended_index, reason, priority, is_open "
        "from index_recommendations order by all",
    )
    assert found == [
        ("orders", "idx_orders_at", "a scan", None, True),
        ("users", None, "a sort", "high", True),
    ]


def test_the_macros_go_by_the_present_moment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three queries, of 10 ms two days ago, 30 ms and 50 ms yesterday."""
    monkeypatch.setenv("OPS_ATOMIC_AS_OF", "2025-10-29T12:00:00Z")
    header = (
        "timestamp,query_hash,query_type,execution_time_ms,rows_examined,"
        "rows_returned,cache_hit,table_name,index_used\n"
    )
    for day, times in (("27", (10,)), ("28", (30, 50))):
        rows = "".join(
            f"2025-10-{day}T13:00:00Z,aa,SELECT,{time},1,1,false,t,\n" for time in times
        )
        faults.write(
            tmp_path / f"g/reports/query_perf_daily_202510{day}.csv", header + rows
        )
    faults.export(tmp_path)
    (moment,) = ask(tmp_path, "select as_of()")
    assert moment == (datetime(2025, 10, 29, 12),)
    assert ask(tmp_path, "select avg_query_time(1), avg_query_time(2)") == [(40, 30)]
    # Whatever type of number.
    assert ask(tmp_path, "select avg_query_time(0.5), avg_query_time(2.0)") == [
        (None, 30)
    ]
    of_column = "select avg_query_time(d), uptime('redis', d) from range(1, 3) t(d)"
    assert ask(tmp_path, f"{of_column} order by d") == [(40, None), (30, None)]
    slow = ask(tmp_path, "select execution_time_ms from slow_queries(30)")
    assert slow == [(50,), (30,)]
