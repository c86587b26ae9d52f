"""Index advice: from a query log to advice that the next export publishes."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from click.testing import CliRunner, Result

from exporter.cli.main import main
from exporter.optimize.measure import Bench, OutOfTime
from ingest.root import PROJECT
from tests import faults

ADVICE = "knowledge/optimize/index_advisor_report.json"
SUMMARY = "knowledge/optimize/optimization_summary.txt"
SLOW = "select * from docs where namespace = ? and path = ?"
HOSTILE = (
    "drop table docs",
    "select 1; delete from docs",
    "select load_extension('x') from docs where path = 'a'",
    "select zeroblob(900000000) from docs where path = 'p1'",
    "with recursive t(n) as (select 1 union all select n + 1 from t) "
    "select * from t, docs where path = 'a'",
    "find docs where the path is lost",
)


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A root with a log of slow queries, run once, and its database."""
    root = tmp_path_factory.mktemp("optimize")
    at = datetime.now(UTC) - timedelta(hours=30)
    queries = [(SLOW, 250), ("select * from docs where id = ?", 1)]
    queries += [(text, 200) for text in HOSTILE]
    lines = [
        json.dumps(
            {
                "ts": f"{at + timedelta(seconds=number):%Y-%m-%dT%H:%M:%SZ}",
                "query": text,
                "duration_ms": milliseconds,
            }
        )
        for text, milliseconds in queries
        for number in range(6)
    ]
    faults.write(root / "g/reports/query_perf.jsonl", "\n".join(lines) + "\n")
    faults.export(root)
    path = root / "knowledge/02luka.db"
    path.parent.mkdir(parents=True, exist_ok=True)
    with sqlite3.connect(path) as database:
        database.execute("create table docs (id integer primary key, namespace, path)")
        database.executemany(
            "insert into docs (namespace, path) values (?, ?)",
            ((f"n{number % 3}", f"p{number}" * 5) for number in range(30_000)),
        )
    database.close()
    return root


@pytest.fixture
def root(exported: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    # One of the queries never ends.
    monkeypatch.setattr("exporter.optimize.measure.QUERY_S", 0.5)
    return faults.copy(exported, tmp_path / "root")


def optimize(root: Path, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["optimize", "--root", str(root), *arguments])


def report(root: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((root / ADVICE).read_text(encoding="utf-8"))
    return found


def test_a_slow_query_becomes_measured_advice_that_is_published(root: Path) -> None:
    database = root / "knowledge/02luka.db"
    before, around = database.read_bytes(), set(database.parent.iterdir())
    done = optimize(root)
    assert done.exit_code == 0, done.output
    assert database.read_bytes() == before
    assert set(database.parent.iterdir()) == around | {root / "knowledge/optimize"}

    (advice,) = report(root)["recommendations"]
    assert (advice["table"], advice["p95_ms"]) == ("docs", 250)
    assert advice["query_pattern"] == SLOW
    assert "path" in advice["column"]
    assert advice["sql"].startswith("CREATE INDEX idx_docs_")
    assert advice["estimated_speedup"] > 1.2
    assert advice["estimated_cost"] > 4096
    assert f"USING INDEX {advice['index']}" in advice["reason"]
    assert {slow["pattern"] for slow in report(root)["slow_queries"]} == {
        SLOW, *HOSTILE
    }  # fmt: skip

    run = faults.export(root)
    assert not run.warnings
    columns = "recommended_index, estimated_speedup, sql"
    found = faults.rows(
        root, "knowledge/optimize/parquet/index_advisor/**/*.parquet", columns
    )
    assert found == [(advice["index"], advice["estimated_speedup"], advice["sql"])]
    said = faults.rows(
        root,
        "knowledge/optimize/parquet/optimization_summary/**/*.parquet",
        "event_type, metric_name",
    )
    assert {("queries_analyzed", "slow"), ("index_measured", "after_ms")} < set(said)
    assert "note" not in {event for event, _ in said}
    assert not faults.rows(root, "g/analytics/rejected_records/*.parquet")
    assert not faults.rows(root, "g/analytics/schema_drift/*.parquet")


def test_an_index_that_is_there_is_advised_no_more(root: Path) -> None:
    assert optimize(root).exit_code == 0
    with sqlite3.connect(root / "knowledge/02luka.db") as database:
        database.execute(report(root)["recommendations"][0]["sql"])
    database.close()
    assert optimize(root).exit_code == 0
    assert report(root)["recommendations"] == []
    assert report(root)["status"] == "ok"


def test_beyond_a_limit_the_advice_of_before_stands(root: Path) -> None:
    assert optimize(root).exit_code == 0
    before = (root / ADVICE).read_bytes()
    done = optimize(root, "--max-mb", "1")
    assert done.exit_code == 0
    assert "raise --max-mb" in done.output
    assert (root / ADVICE).read_bytes() == before
    assert "status=skipped" in (root / SUMMARY).read_text(encoding="utf-8")


def test_what_is_measured_in_part_closes_no_advice(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert optimize(root).exit_code == 0
    before = (root / ADVICE).read_bytes()
    monkeypatch.setattr(Bench, "measure", mock.Mock(side_effect=OutOfTime))
    done = optimize(root, "--max-seconds", "60")
    assert done.exit_code == 0
    assert "are measured in 60 seconds: raise --max-seconds" in done.output
    assert (root / ADVICE).read_bytes() == before
    assert "status=skipped" in (root / SUMMARY).read_text(encoding="utf-8")


def test_slow_is_what_is_said_to_be(root: Path) -> None:
    assert optimize(root, "--min-samples", "7").exit_code == 0
    assert report(root)["slow_queries"] == []
    assert optimize(root, "--slow-ms", "249").exit_code == 0
    assert [slow["samples"] for slow in report(root)["slow_queries"]] == [6]


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("missing", "there is no database: name it with --database"),
        ("empty", "the file is empty"),
        ("text", "not a SQLite database"),
        ("locked", "locked by another program"),
    ],
)
def test_a_database_that_cannot_be_read_is_named(
    what: str, said: str, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("exporter.optimize.measure.LOCK_S", 0.1)
    path = root / "knowledge/02luka.db"
    writer = None
    if what == "missing":
        path.unlink()
    elif what == "locked":
        writer = sqlite3.connect(path, isolation_level=None)
        writer.execute("begin exclusive")
    else:
        path.write_text("" if what == "empty" else "no database " * 1000)
    done = optimize(root)
    if writer is not None:
        writer.close()
    assert done.exit_code == 1
    assert said in done.output
    assert path.name in done.output
    assert path.exists() is (what != "missing")
    assert not (root / ADVICE).exists()


def test_the_monitor_s_database_is_the_one(root: Path) -> None:
    (root / "knowledge/02luka.db").rename(root / "other.db")
    settings = root / "g/analytics/settings/monitor.toml"
    faults.write(settings, '[database]\npath = "other.db"\n')
    assert optimize(root).exit_code == 0
    assert len(report(root)["recommendations"]) == 1
    faults.write(settings, "[database\n")
    assert optimize(root).exit_code == 2


def test_one_with_a_log_of_its_own_is_left_as_it_is(root: Path) -> None:
    path = root / "knowledge/02luka.db"
    with sqlite3.connect(path) as database:
        database.execute("pragma journal_mode = wal")
    database.close()
    before = path.read_bytes()
    assert optimize(root).exit_code == 0
    assert len(report(root)["recommendations"]) == 1
    assert path.read_bytes() == before
    assert not list(path.parent.glob("02luka.db-*"))


def test_a_signal_ends_it_and_leaves_no_copy(root: Path, tmp_path: Path) -> None:
    """While the query that never ends is measured."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    code = (
        "import exporter.optimize.measure as measure; measure.QUERY_S = 60.0; "
        "from exporter.cli.main import main; main()"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, "optimize", "--root", str(root)],
        env={**os.environ, "TMPDIR": str(temporary)},
        cwd=PROJECT,
    )
    try:
        ends = time.monotonic() + 60
        while not list(temporary.glob("*/copy.db")):
            assert time.monotonic() < ends, "it never began"
            assert process.poll() is None
            time.sleep(0.05)
        process.terminate()
        assert process.wait(timeout=40) == 128 + signal.SIGTERM
    finally:
        process.kill()
        process.wait()
    assert not list(temporary.iterdir())
    assert not (root / ADVICE).exists()


def test_it_is_due_once_a_day(root: Path) -> None:
    assert optimize(root, "--if-due").exit_code == 0
    assert "Nothing is due" in optimize(root, "--if-due").output
