"""Each query of docs/example_queries.sql says what it answers, and answers it."""

from __future__ import annotations

import functools
import itertools
import json
import os
import re
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest import mock

import duckdb
import pytest

from exporter.sample import planted, write_sample
from exporter.sample.planted import DOWN_AT_THE_END, GAP, LAST_NIGHT, Failure
from exporter.sample.queries import Query, catalogue, scans
from ingest.root import EXAMPLE_ROOT, PROJECT
from tests import faults, support

# A one-line comment, then a statement up to its semicolon.
QUESTION = re.compile(r"^-- (.+)\n((?!--|\n)[^;]+);$", re.MULTILINE)
TEXT = (PROJECT / "docs" / "example_queries.sql").read_text(encoding="utf-8")
QUESTIONS = dict(QUESTION.findall(TEXT))

START, SEED = date(2025, 1, 1), 1
END = datetime(2025, 3, 2)
EXAMPLE_END = datetime(2025, 10, 29, 23, 59)
# From one heartbeat to the next, which is the first that can see a change.
STEP = timedelta(seconds=302)
Ask = Callable[[str], list[dict[str, Any]]]


def exported(root: Path, as_of: datetime) -> Path:
    with mock.patch.dict(os.environ, OPS_ATOMIC_AS_OF=f"{as_of.isoformat()}Z"):
        faults.export(root)
    return root


def asking(root: Path) -> Iterator[Ask]:
    path = root / "g/analytics/ops_atomic.duckdb"
    with duckdb.connect(str(path), read_only=True) as db:

        @functools.cache
        def ask(begins: str) -> list[dict[str, Any]]:
            (query,) = [q for title, q in QUESTIONS.items() if title.startswith(begins)]
            found = db.execute(query)
            names = [column[0] for column in found.description or ()]
            return [dict(zip(names, row, strict=True)) for row in found.fetchall()]

        yield ask


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sixty days with all that is planted in them, as of their end."""
    root = tmp_path_factory.mktemp("asked") / "sample"
    write_sample(root, planted.CYCLE, SEED, START)
    return exported(root, END)


@pytest.fixture(scope="module")
def ask(sample: Path) -> Iterator[Ask]:
    yield from asking(sample)


@pytest.fixture(scope="module")
def ask_example(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ask]:
    """The bundled example, a few minutes after its last heartbeat."""
    root = tmp_path_factory.mktemp("asked") / "02luka"
    support.copy_root(EXAMPLE_ROOT, root)
    yield from asking(exported(root, EXAMPLE_END))


def moment(failure: Failure, second: int) -> datetime:
    begin = datetime.combine(START, datetime.min.time())
    return begin + timedelta(failure.day, second)


def is_soon_after(found: datetime, planted_at: datetime) -> bool:
    return planted_at <= found < planted_at + STEP


def scan(number: int) -> Query:
    (place,) = [place for place, n in scans(SEED).items() if n == number]
    return catalogue(SEED)[place]


def by(rows: list[dict[str, Any]], key: str) -> dict[Any, dict[str, Any]]:
    found = {row[key]: row for row in rows}
    assert len(found) == len(rows)
    return found


def test_each_query_has_its_question() -> None:
    assert len(QUESTIONS) == TEXT.count(";") >= 20


# What each says of a sample


def test_what_is_down_now(ask: Ask) -> None:
    found = by(ask("What is down now"), "check_key")
    assert set(found) == {"database", "overall"}
    began = moment(DOWN_AT_THE_END, DOWN_AT_THE_END.begins)
    assert all(is_soon_after(row["started_at"], began) for row in found.values())
    assert all(row["hours"] == 2.0 for row in found.values())


def test_what_broke_last_night_and_for_how_long(ask: Ask) -> None:
    """Nothing else goes wrong on a day on which something is planted."""
    found = ask("What broke last night")
    began = moment(LAST_NIGHT, LAST_NIGHT.begins)
    ended = moment(LAST_NIGHT, LAST_NIGHT.ends)
    night = [row for row in found if row["ended_at"]]
    assert [row["check_key"] for row in night] == ["overall", "redis"]
    for row in night:
        assert is_soon_after(row["started_at"], began)
        assert is_soon_after(row["ended_at"], ended)
        assert row["minutes"] == pytest.approx(180, abs=6)
        assert "Redis not responding" in row["cause"]
    still = [row["check_key"] for row in found if not row["ended_at"]]
    assert still == ["database", "overall"]


def test_uptime_this_month_against_its_target(ask: Ask) -> None:
    """March has had one day: redis was down for three hours, the database for two."""
    found = by(ask("Uptime this month"), "check_key")
    for check, hours in (("redis", 3), ("database", 2), ("overall", 5), ("api", 0)):
        row = found[check]
        assert row["uptime"] == pytest.approx(1 - hours / 24, abs=0.005)
        assert row["coverage"] == pytest.approx(1, abs=0.005)
        assert row["is_breached"] == (hours > 0)
        budget = (1 - row["target"]) * 24 * 60
        left = pytest.approx(budget - hours * 60, abs=7)
        assert row["budget_left_minutes"] == left


def test_the_slowest_queries_and_which_got_slower(ask: Ask) -> None:
    found = ask("The ten slowest queries")
    assert len(found) == 10
    times = [row["p95_ms"] for row in found]
    assert times == sorted(times, reverse=True)
    slower = by(found, "query_hash")[scan(planted.REGRESSION.scan).query_hash]
    assert slower["verdict"] == "regressed"
    assert slower["ratio"] == pytest.approx(planted.REGRESSION.factor, rel=0.15)
    helped = scan(planted.WITH_INDEX.scan).query_hash
    assert helped not in by(found, "query_hash")


def test_which_advice_was_worth_it(ask: Ask) -> None:
    best, *others = ask("Which advice was worth it")
    query = scan(planted.WITH_INDEX.scan)
    assert best["table_name"] == query.table
    assert best["closed_at"].date() == START + timedelta(planted.ADVICE_NIGHTS[2])
    expected = planted.WITH_INDEX.factor / planted.WITHOUT_INDEX.factor
    assert best["effect_ratio"] == pytest.approx(expected, rel=0.5)
    assert not any((row["effect_ratio"] or 1) < 0.3 for row in others)


def test_what_was_rejected_and_why(ask: Ask, sample: Path) -> None:
    found = {
        (row["dataset"], row["reason"]): row["records"]
        for row in ask("What was rejected")
    }
    log = (sample / "g/reports/query_perf.jsonl").read_text(encoding="utf-8")
    untimed = sum("ts" not in json.loads(line) for line in log.splitlines())
    assert found == {
        ("query_perf", "no ts"): untimed,
        ("query_perf", "execution_time_ms is not a DOUBLE"): planted.UNREADABLE_ROWS,
        ("ops_atomic", "no Status line"): 1,
    }


def test_what_grows_fastest(ask: Ask, sample: Path) -> None:
    found = by(ask("What grows fastest"), "dataset")
    folders = {
        "query_perf": "knowledge/optimize/parquet/query_perf",
        "heartbeat_checks": "g/analytics/heartbeat_checks",
    }
    sizes = {
        name: sum(file.stat().st_size for file in (sample / folder).rglob("*.parquet"))
        for name, folder in folders.items()
    }
    for name, size in sizes.items():
        a_day = size / planted.CYCLE
        assert found[name]["bytes_a_day"] == pytest.approx(a_day, rel=0.2)
    assert next(iter(found)) == max(sizes, key=lambda name: sizes[name])
    # 1,580 queries a day, and so many more of them each day.
    more = 1_580 * planted.GROWTH_PER_DAY
    assert found["query_perf"]["rows_more_each_day"] == pytest.approx(more, rel=0.5)
    assert found["heartbeat_checks"]["rows_more_each_day"] == 0


def test_what_each_table_costs(ask: Ask, sample: Path) -> None:
    expected: dict[str, list[float]] = {}
    for number in range(planted.CYCLE - 30, planted.CYCLE):
        name = f"query_perf_daily_{START + timedelta(number):%Y%m%d}.csv"
        text = (sample / "g/reports" / name).read_text(encoding="utf-8")
        for line in text.splitlines()[1:]:
            cells = line.split(",")
            if cells[3] != "n/a":
                expected.setdefault(cells[7], []).append(float(cells[3]))
    found = by(ask("What each table costs"), "table_name")
    assert {name for name in found if name} == set(expected)
    for table, times in expected.items():
        assert found[table]["executions"] == len(times)
        assert found[table]["total_ms"] == pytest.approx(sum(times), abs=1)
    assert sum(row["share"] for row in found.values()) == pytest.approx(1, abs=0.01)


def test_which_checks_flap(ask: Ask) -> None:
    """Each of the planted half hours has six changes; redis never warns."""
    found = by(ask("Checks that flap"), "check_key")
    assert found["redis"]["flaps_per_day"] > found["database"]["flaps_per_day"]
    assert found["redis"]["flaps_per_day"] >= 35 / 30
    warned = found["launchagent_optimizer"]["degraded_share"]
    assert warned == pytest.approx(1 / 30, abs=0.01)


def test_when_the_monitor_was_silent(ask: Ask) -> None:
    longest = ask("When the monitor itself")[0]
    assert longest["minutes"] == pytest.approx(6 * 60, abs=16)
    assert is_soon_after(longest["ended_at"], moment(GAP, GAP.ends))


def test_a_column_that_nobody_knows(ask: Ask) -> None:
    (found,) = [row for row in ask("Columns and keys") if row["name"] == "plan"]
    assert found["kind"] == "added"
    assert found["files"] == len(planted.DRIFT_DAYS)


@pytest.mark.parametrize("period", [7, 30])
def test_the_catalogue_s_uptime_is_that_of_the_marts(sample: Path, period: int) -> None:
    path = sample / "g/analytics/ops_atomic.duckdb"
    with duckdb.connect(str(path), read_only=True) as db:
        both = db.execute(
            "select uptime(check_key, $days), uptime_observed from slo_status "
            "where period = $days || 'd'",
            {"days": period},
        ).fetchall()
        (average,) = db.execute("select avg_query_time(30)").fetchone() or (None,)
        (slowest,) = db.execute("from slow_queries(0) limit 1").fetchall()
        assert (
            slowest
            == db.execute(
                "from query_performance order by execution_time_ms desc limit 1"
            ).fetchone()
        )
    assert len(both) >= 6
    for uptime, observed in both:
        assert uptime == (observed and pytest.approx(observed, abs=1e-6))
    assert 1 < average < 100


@pytest.mark.parametrize("question", QUESTIONS)
def test_each_has_an_answer(question: str, ask: Ask) -> None:
    if not question.startswith("Runs that did not go well"):
        assert ask(question)


# What each says of the example


def test_nothing_is_down_at_the_end_of_the_example(ask_example: Ask) -> None:
    assert ask_example("What is down now") == []


def test_the_example_s_last_night_is_full_of_gaps(ask_example: Ask) -> None:
    """Its heartbeats are hours apart; each vouches for ten minutes."""
    texts = {
        path.name: path.read_text(encoding="utf-8")
        for path in (EXAMPLE_ROOT / "g/reports/ops_atomic").glob("heartbeat_*.md")
    }
    heard = sorted(
        datetime.strptime(name, "heartbeat_%Y-%m-%d_%H-%M-%S.md")
        for name, text in texts.items()
        if "**Status:**" in text
    )
    gaps = [
        (before + timedelta(minutes=10), after)
        for before, after in itertools.pairwise(heard)
        if after - before > timedelta(minutes=11)
        and after > EXAMPLE_END - timedelta(days=1)
    ]
    found = ask_example("What broke last night")
    assert {row["check_key"] for row in found} == {"monitor"}
    assert [row["minutes"] for row in found] == [
        pytest.approx((ends - begins).total_seconds() / 60, abs=1)
        for begins, ends in gaps
    ]


def test_the_example_misses_its_targets(ask_example: Ask) -> None:
    """Little was seen; of that, failures of Redis, the database and the API."""
    found = by(ask_example("Uptime this month"), "check_key")
    breached = {check for check, row in found.items() if row["is_breached"]}
    assert breached == {"overall", "redis", "database", "api"}
    assert all(row["coverage"] < 0.05 for row in found.values())


def test_three_days_are_too_few_to_compare_and_to_forecast(ask_example: Ask) -> None:
    slowest = ask_example("The ten slowest queries")
    assert slowest[0]["query_text"] == "phase 7.2 --k=5"
    assert {row["verdict"] for row in slowest} == {"too_few"}
    grown = ask_example("What grows fastest")
    assert len(grown) > 5
    assert all(row["bytes_a_day"] is None for row in grown)


def test_what_the_example_s_readme_says_of_its_rejects(ask_example: Ask) -> None:
    """Six cells of the CSV, three lines of the log, a heartbeat, a metric."""
    found = ask_example("What was rejected")
    by_file: dict[str, int] = {}
    for row in found:
        name = row["example"].partition(":")[0].partition("_20")[0]
        by_file[name] = by_file.get(name, 0) + row["records"]
    assert by_file == {
        "query_perf_daily": 6,
        "query_perf.jsonl": 3,
        "heartbeat": 1,
        "rollup_daily.ndjson": 1,
    }


def test_what_the_example_s_tables_cost(ask_example: Ask) -> None:
    found = by(ask_example("What each table costs"), "table_name")
    assert next(iter(found)) == "docs"
    # Those of the log have no table.
    assert found[None]["dearest_type"] == "SEARCH"
    assert found[None]["executions"] == 7
    assert sum(row["share"] for row in found.values()) == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize("question", QUESTIONS)
def test_each_can_be_asked_of_the_example(question: str, ask_example: Ask) -> None:
    is_empty = question.startswith(
        (
            "What is down now",
            "What was odd",
            "Runs that did not go well",
            # Of each of the two generators there is one report.
            "Which advice was worth it",
        )
    )
    assert bool(ask_example(question)) != is_empty


def test_advice_that_the_last_report_no_longer_has_is_not_open(tmp_path: Path) -> None:
    report = tmp_path / "g/reports/index_advisor_report.json"
    for day, advice, still_open in (
        (27, [{"table": "t"}, {"table": "u"}], ["t", "u"]),
        (28, [{"table": "u"}], ["u"]),
        (29, [], []),
    ):
        at = f"2025-10-{day}T04:00:00Z"
        text = json.dumps({"timestamp": at, "recommendations": advice})
        faults.write(report, text)
        exported(tmp_path, datetime(2025, 10, day, 5))
        (rows,) = (ask("Index advice that is") for ask in asking(tmp_path))
        assert sorted(row["table_name"] for row in rows) == still_open
    assert sorted(faults.rows(tmp_path, faults.REPORTS, "recommendations")) == [
        (0,), (1,), (2,),
    ]  # fmt: skip
