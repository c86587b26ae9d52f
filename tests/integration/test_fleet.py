"""A fleet's marts, as `dbt build --target fleet` makes them on DuckDB."""

from __future__ import annotations

import re
import subprocess
from collections import Counter
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from exporter.contracts.marts import load_marts
from exporter.fleet.recipes import load_recipes
from ingest.root import PROJECT
from tests.fleet_days import FIRST, MACHINES, NOW, days_of, publish_all, publish_day
from tests.fleets import Fleet
from tests.marts import Marts
from tests.support import clean_environment, run_tool, unmeasured

# What tells of a whole fleet is made for no machine alone.
ALL = load_recipes()
OF_MACHINES = list(load_marts())
Rows = Counter[tuple[Any, ...]]


def build(
    fleet: Fleet, scratch: Path, *arguments: str, command: str = "build",
    now: str = NOW, marts: Path | None = None,
) -> subprocess.CompletedProcess[str]:  # fmt: skip
    environment = clean_environment(
        scratch,
        OPS_ATOMIC_FLEET=str(fleet.path),
        OPS_ATOMIC_FLEET_MARTS=str(marts or ""),
        OPS_ATOMIC_AS_OF=now,
    )
    done = run_tool(
        "dbt", "--no-use-colors", "--log-path", scratch / "logs", command,
        "--target", "fleet", "--target-path", scratch / "target", *arguments,
        env=unmeasured(environment),
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-4000:]
    return done


def files(marts: Path) -> dict[str, int]:
    """Every file of the marts, with when it was written."""
    return {
        path.relative_to(marts).as_posix(): path.stat().st_mtime_ns
        for path in marts.rglob("*.parquet")
    }


def rows(marts: Path, mart: str) -> Rows:
    """The rows of a mart, by its files alone."""
    recipe = ALL[mart]
    names = ", ".join(f'"{column.name}"' for column in recipe.columns)
    below = "date_partition=*/" if recipe.is_daily else ""
    found = duckdb.execute(
        f"select {names} from read_parquet('{marts}/{mart}/{below}*.parquet', "
        f"hive_partitioning = {recipe.is_daily})"
    )
    return Counter(found.fetchall())


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("scratch")


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory, scratch: Path) -> Fleet:
    """Five machines, of which one has files that are kept out, built once."""
    fleet = Fleet(tmp_path_factory.mktemp("fleet"))
    publish_all(fleet)
    for day in days_of("eridanus")[:3]:
        fleet.heartbeat("eridanus", day, schema_version="99")
    half = fleet.place("eridanus", "query_perf", FIRST + timedelta(days=5))
    half.write_bytes(half.read_bytes()[:-20])
    fleet.heartbeat("eridanus", date(2031, 1, 1))
    (scratch / "said").write_text(build(fleet, scratch).stdout)
    return fleet


def test_what_is_kept_out_is_named_and_the_rest_goes_on(
    fleet: Fleet, scratch: Path
) -> None:
    said = (scratch / "said").read_text()
    assert said.count("kept out: ") == 5
    assert "query_perf_20250106.parquet: damaged or half synced" in said
    assert "ops_atomic_20310101.parquet: of 2031-01-01, a day in the future" in said
    machines = {row[0] for row in rows(fleet.path / "marts", "check_states")}
    assert machines == {*MACHINES}


@pytest.mark.parametrize("machine", ["atlas", "borealis", "corvus", "draco"])
def test_each_machine_has_the_rows_that_it_has_alone(
    fleet: Fleet, machine: str
) -> None:
    alone = Marts(datetime.fromisoformat(NOW))
    alone.db.execute(f"create or replace macro publishing.machine() as '{machine}'")
    for name in fleet.datasets:
        paths = [
            str(path)
            for day in days_of(machine)
            if (path := fleet.place(machine, name, day)).exists()
        ]
        if paths:
            alone.db.execute(
                f"insert into all_{name} from "
                f"read_parquet({paths}, hive_partitioning = false)"
            )
    alone.add("maintenance_windows", [{
        "check_key": "redis", "reason": "new disk",
        "started_at": datetime(2025, 1, 4, 2), "ended_at": datetime(2025, 1, 4, 3, 30),
    }])  # fmt: skip
    for mart in OF_MACHINES:
        expected = Counter(tuple(row.values()) for row in alone.rows(mart))
        found = rows(fleet.path / "marts", mart)
        its = Counter({row: n for row, n in found.items() if row[0] == machine})
        assert its == expected, mart
        assert its or machine != "atlas", mart


def test_only_partitions_whose_inputs_changed_are_made(
    fleet: Fleet, scratch: Path, tmp_path: Path
) -> None:
    """Late data of one day, and a machine that is back after seven days; and what
    is left of files of which a disk has lost the end, or all."""
    before = files(fleet.path / "marts")
    build(fleet, scratch)
    single = {name for name, recipe in ALL.items() if not recipe.is_daily}
    assert changed(fleet, before) == {f"{name}/{name}.parquet" for name in single}

    before = files(fleet.path / "marts")
    late, back = FIRST + timedelta(days=2), FIRST + timedelta(days=18)
    publish_day(fleet, "draco", late, late=1)
    fleet.publish("draco", "query_perf", late, source_fingerprint="more")
    publish_day(fleet, "corvus", back)
    cut, gone = sorted((fleet.path / "marts" / "storage_daily").glob("*/*.parquet"))[:2]
    for path in (cut, fleet.path / "marts" / "fleet_status" / "fleet_status.parquet"):
        path.write_bytes(path.read_bytes()[:-9])
    gone.unlink()
    build(fleet, scratch)
    made = changed(fleet, before)
    days = {
        name: {
            file.split("=")[1][:10] for file in made if file.startswith(f"{name}/date")
        }
        for name in ALL
    }
    assert days["query_perf_daily"] == {str(late), str(back)}
    assert days["workload_daily"] == {str(late), str(back)}
    assert days["storage_daily"] >= {path.parent.name[-10:] for path in (cut, gone)}
    silent = {str(FIRST + timedelta(days=n)) for n in range(12, 19)}
    assert silent <= days["check_states"]
    assert str(FIRST + timedelta(days=1)) not in days["check_states"]
    assert str(FIRST + timedelta(days=11)) not in days["check_states"]

    build(fleet, scratch, marts=tmp_path / "anew")
    for mart in ALL:
        anew = rows(tmp_path / "anew", mart)
        assert rows(fleet.path / "marts", mart) == anew, mart


def changed(fleet: Fleet, before: dict[str, int]) -> set[str]:
    after = files(fleet.path / "marts")
    return {name for name, at in after.items() if before.get(name) != at}


def test_examples_of_the_fleets_own_marts_hold(fleet: Fleet, scratch: Path) -> None:
    done = build(
        fleet, scratch, "--select", "int_check_timeline", "path:models/marts/fleet"
    )
    own = [*(PROJECT / "models" / "marts" / "fleet").glob("*.sql")]
    for path in own:
        assert re.search(rf" PASS {path.stem}::\w+ ", done.stdout), path.stem


def test_nothing_of_the_storage_but_the_marts_is_written(fleet: Fleet) -> None:
    written = {path.name for path in fleet.path.iterdir()}
    assert written == {"marts", "g", *(f"machine={name}" for name in MACHINES)}
    assert [*(fleet.path / "g").rglob("*.*")] == [
        fleet.path / "g" / "analytics" / "settings" / "maintenance_windows.csv"
    ]


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("fleet", "OPS_ATOMIC_FLEET names no storage: set it"),
        ("spark", "Spark is not here: `make fleet`, then .venv-fleet/bin/dbt"),
    ],
)
def test_dbt_says_what_it_lacks(target: str, said: str, tmp_path: Path) -> None:
    environment = clean_environment(tmp_path)
    done = run_tool(
        "dbt", "--no-use-colors", "--log-path", tmp_path / "logs", "build", "--target",
        target, "--target-path", tmp_path / "target", env=unmeasured(environment),
    )  # fmt: skip
    assert done.returncode != 0
    assert said in done.stdout
