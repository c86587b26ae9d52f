"""The dashboard of a root: figures that agree, a size that stays, a command."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from exporter.answers.once import AskedOnce
from exporter.dashboard.documents import DOCUMENTS, in_json
from exporter.dashboard.leave import leave_dashboard
from ingest import advice
from ingest.listing import list_inputs
from ingest.root import Root
from tests.pages import AS_OF, CHECKS, M, fill, make_pages
from tests.published import publish
from tests.support import clean_environment, run_tool

NAMES = {"index.html", "status.html", "api"}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("root")
    fill(root)
    make_pages(root)
    return root


def folder(root: Path) -> Path:
    return root / "g" / "reports" / "dashboard"


def api(root: Path, name: str) -> dict[str, Any]:
    text = (folder(root) / "api" / f"{name}.json").read_text(encoding="utf-8")
    document: dict[str, Any] = json.loads(text)
    return document


def data_of(page: Path) -> dict[str, Any]:
    found = re.search(r'id="data">(.*?)</script>', page.read_text(encoding="utf-8"))
    assert found is not None
    data: dict[str, Any] = json.loads(found[1])
    return data


def unpacked(part: Any) -> Any:
    if isinstance(part, dict) and part.keys() == {"columns", "rows"}:
        return [dict(zip(part["columns"], row, strict=True)) for row in part["rows"]]
    return part


def test_the_page_holds_what_the_api_holds(root: Path) -> None:
    data = data_of(folder(root) / "index.html")
    assert data.keys() == DOCUMENTS.keys()
    for name in DOCUMENTS:
        held = {part: unpacked(value) for part, value in data[name].items()}
        assert held == api(root, name), name


@pytest.mark.parametrize(
    ("document", "part", "mart"),
    [
        ("slo", "slo", "slo_status"),
        ("incidents", "incidents", "incidents"),
        ("regressions", "regressions", "query_regressions"),
        ("advice", "advice", "index_advice_lifecycle"),
        ("freshness", "sources", "dataset_freshness"),
        ("freshness", "runs", "export_runs"),
        ("forecast", "forecast", "metric_forecast"),
    ],
)
def test_the_api_says_what_the_marts_say(
    root: Path, document: str, part: str, mart: str
) -> None:
    rows = api(root, document)[part]
    place = root / "g" / "analytics" / "marts" / f"{mart}.parquet"
    with duckdb.connect() as db:
        there = {name for name, *_ in db.execute(f"describe from '{place}'").fetchall()}
        cells = [name for name in rows[0] if name in there]
        found = db.execute(f"select {', '.join(cells)} from '{place}'").fetchall()
    told = sorted(repr([row[name] for name in cells]) for row in rows)
    assert told == sorted(repr([in_json(cell) for cell in row]) for row in found)


def test_sums_are_those_of_the_marts(root: Path) -> None:
    marts = root / "g" / "analytics" / "marts"
    with duckdb.connect() as db:

        def one(sql: str) -> Any:
            return db.execute(sql.format(marts=marts)).fetchall()[0][0]

        down = one(
            "select sum(duration_s) from '{marts}/check_states/*.parquet' "
            "where state = 'down' and date_partition > date '2025-10-28' - 90"
        )
        stored = one("select sum(parquet_bytes) from '{marts}/storage_daily/*.parquet'")
        ran = one("select sum(executions) from '{marts}/query_perf_daily/*.parquet'")
    days = [row for row in api(root, "uptime")["uptime"] if row["grain"] == "day"]
    assert sum(row["down_s"] for row in days) == down > 0
    queries = api(root, "queries")
    assert sum(row["executions"] for row in queries["days"]) == ran
    ever = [row for row in queries["queries"] if row["period"] == "all"]
    assert sum(row["executions"] for row in ever) == ran
    storage = api(root, "storage")
    assert storage["days"][-1]["stored_bytes"] == stored
    assert sum(row["parquet_bytes"] for row in storage["datasets"]) == stored


def test_the_public_page_keeps_to_itself_what_is_not_for_all(root: Path) -> None:
    page = (folder(root) / "status.html").read_text(encoding="utf-8")
    for private in ("connection refused", "idx_", "disk", "users", "q1"):
        assert private not in page
    assert "vega" not in page.lower()


def test_a_public_name_shows_a_check_and_a_window_is_shown(tmp_path: Path) -> None:
    fill(tmp_path, days=3)
    settings = tmp_path / "g" / "analytics" / "settings"
    settings.mkdir()
    (settings / "public_checks.csv").write_text(
        "check_key,public_name\ndisk/root,Storage\n"
    )
    until = AS_OF + timedelta(hours=1)
    (settings / "maintenance_windows.csv").write_text(
        "check_key,started_at,ended_at,reason\n"
        f"redis,{AS_OF:%Y-%m-%dT%H:%M:%SZ},{until:%Y-%m-%dT%H:%M:%SZ},secret move\n"
    )
    make_pages(tmp_path)
    page = folder(tmp_path) / "status.html"
    data = {name: unpacked(part) for name, part in data_of(page).items()}
    assert "Storage" in {row["name"] for row in data["checks"]}
    assert data["maintenance"] == [
        {
            "name": "Redis",
            "started_at": "2025-10-28T12:00:00Z",
            "ended_at": "2025-10-28T13:00:00Z",
        }
    ]
    assert "secret move" not in page.read_text(encoding="utf-8")
    (window,) = api(tmp_path, "status")["maintenance"]
    assert window["reason"] == "secret move"


def test_five_years_stay_below_three_megabytes(tmp_path: Path) -> None:
    fill(tmp_path, days=2, said="x" * 10_000)
    marts = tmp_path / "g" / "analytics" / "marts"
    ever = "range(1826) as t(ago), (select timestamp '2025-10-28' as today)"
    day = "cast(today - to_days(cast(ago as int)) as date)"
    # As many files would take longer to write than all else: one holds them all.
    made = {
        "check_states": f"""
            select 'lab' as machine, 'group/check_' || number as check_key,
                case ago % 7 when 0 then 'down' else 'up' end as state,
                today - to_days(cast(ago as int)) as started_at,
                started_at + interval 1 day as ended_at, 86400.0::double as duration_s,
                'said' as message, started_at as last_heartbeat_at,
                {day} as date_partition
            from {ever}, range(20) as c(number) where ago > 1""",
        "query_perf_daily": f"""
            select 'lab' as machine, md5(number::varchar) as query_hash,
                {day} as date_partition, 10::bigint as executions,
                random() * 1000 as total_ms, random() * 100 as p95_ms,
                random() * 200 as max_ms, random() * 50 as day_p95_ms
            from {ever}, range(70) as q(number) where ago > 1""",
        "storage_daily": f"""
            select 'lab' as machine, 'dataset_' || number as dataset,
                288::bigint as row_count, 9999::bigint as source_bytes,
                999::bigint as parquet_bytes, {day} as date_partition
            from {ever}, range(14) as d(number) where ago > 1""",
        "data_quality_daily": f"""
            select 'lab' as machine, 'ops_atomic' as dataset, 289::bigint as landed,
                288::bigint as published, {day} as date_partition
            from {ever} where ago > 1""",
    }
    with duckdb.connect() as db:
        for name, sql in made.items():
            place = marts / name / f"{name}_20201028.parquet"
            db.execute(f"copy ({sql}) to '{place}'")
    incidents = [
        M | {"check_key": CHECKS[number % 7], "is_open": False, "cause": "é" * 9000}
        | {"started_at": AS_OF - timedelta(hours=9 * number), "duration_s": 60.0}
        | {"ended_at": AS_OF - timedelta(hours=9 * number - 1)}
        for number in range(3000)
    ]  # fmt: skip
    publish(tmp_path, "incidents", incidents)
    page = make_pages(tmp_path)
    assert len(api(tmp_path, "queries")["days"]) == 1826
    assert {row["grain"] for row in api(tmp_path, "uptime")["uptime"]} == {
        "hour", "six_hours", "day", "month",
    }  # fmt: skip
    assert page.stat().st_size < 3_000_000


def run(root: Path, home: Path, *arguments: str | Path, **variables: str) -> Any:
    environment = clean_environment(home, OPS_ATOMIC_MACHINE="lab", **variables)
    return run_tool(
        "ops-atomic", "dashboard", "--root", root, *arguments, env=environment
    )


def test_the_command_makes_all_of_it(tmp_path: Path) -> None:
    root = tmp_path / "lab"
    fill(root, days=2)
    done = run(root, tmp_path)
    assert done.returncode == 0, done.stderr
    assert "Wrote ~/lab/g/reports/dashboard/index.html" in done.stdout
    assert {path.name for path in folder(root).iterdir()} == NAMES
    assert {path.stem for path in (folder(root) / "api").iterdir()} == DOCUMENTS.keys()
    assert api(root, "status")["machine"] == "lab"


def test_output_is_only_the_page(tmp_path: Path) -> None:
    root = tmp_path / "root"
    fill(root, days=2)
    done = run(root, tmp_path, "--output", tmp_path / "out" / "page.html")
    assert done.returncode == 0, done.stderr
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["page.html"]
    assert not folder(root).exists()


def test_a_damaged_mart_leaves_the_pages_as_they_were(tmp_path: Path) -> None:
    root = tmp_path / "root"
    fill(root, days=2)
    make_pages(root)
    before = (folder(root) / "index.html").read_bytes()
    (root / "g" / "analytics" / "marts" / "incidents.parquet").write_bytes(b"torn")
    done = run(root, tmp_path)
    assert done.returncode == 1
    assert "incidents.parquet" in done.stderr
    assert "ops-atomic export" in done.stderr
    assert (folder(root) / "index.html").read_bytes() == before
    with pytest.raises(OSError, match="the dashboard is not made anew"):
        leave_dashboard(True, AskedOnce(Root(root)))


def test_a_run_that_published_nothing_makes_no_page(tmp_path: Path) -> None:
    leave_dashboard(False, AskedOnce(Root(tmp_path)))
    assert list(tmp_path.iterdir()) == []


def test_the_pages_are_no_inputs_that_nobody_reads(root: Path) -> None:
    assert (folder(root) / "index.html").exists()
    assert list_inputs(Root(root)).ignored == {}
    beat = folder(root) / "heartbeat_2025-10-28_10-00-00.md"
    try:
        beat.touch()
        assert list_inputs(Root(root)).heartbeats
    finally:
        beat.unlink()


def test_a_page_that_is_of_another_moment_than_was_asked_for_says_so(
    tmp_path: Path,
) -> None:
    root = tmp_path / "root"
    fill(root, days=2)
    done = run(root, tmp_path, OPS_ATOMIC_AS_OF=f"{AS_OF.isoformat()}Z")
    assert (done.returncode, done.stderr) == (0, "")
    said = run(root, tmp_path, OPS_ATOMIC_AS_OF="2025-10-27T08:00:00Z").stderr
    assert "it shows 2025-10-28 12:00 UTC" in said
    command = said.partition(advice.RUN)[2]
    assert command.startswith("OPS_ATOMIC_AS_OF=2025-10-27T08:00:00Z ")
    assert command.endswith("ops-atomic export --root ~/root\n")


def test_no_page_makes_a_wrong_root_look_right(tmp_path: Path) -> None:
    (tmp_path / "somewhere").mkdir()
    done = run(tmp_path / "somewhere", tmp_path)
    assert done.returncode == 2
    assert "has neither g nor knowledge/optimize" in done.stderr
    assert list((tmp_path / "somewhere").iterdir()) == []


def test_a_page_is_there_as_a_whole_or_not_at_all(tmp_path: Path) -> None:
    root = tmp_path / "root"
    fill(root, days=2)
    place = folder(root) / "index.html"
    place.mkdir(parents=True)
    done = run(root, tmp_path)
    assert done.returncode == 1
    assert "dashboard/index.html" in done.stderr
    assert [path.name for path in folder(root).glob(".*")] == []
