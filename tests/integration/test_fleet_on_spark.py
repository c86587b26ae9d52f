"""A fleet's marts on Spark: the rows that DuckDB makes, and no more made anew."""

from __future__ import annotations

import os
import shutil
import subprocess
from datetime import date, timedelta
from pathlib import Path

import duckdb
import pytest

from exporter.fleet.recipes import load_recipes
from ingest.root import PROJECT
from tests.fleet_days import FIRST, MACHINES, NOW, days_of, publish_all, publish_day
from tests.fleet_marts import assert_equal, rows
from tests.fleets import Fleet
from tests.support import clean_environment, require_tool, unmeasured

# Made by `make fleet`.
DBT = PROJECT / ".venv-fleet" / "bin" / "dbt"
RECIPES = load_recipes()
# For minutes on two cores: no second compiler, and no tasks that only list files. On
# a machine with much to do, an executor that is not heard for long is not gone.
CONFIGURATION = """
spark.master                                             local[2]
spark.driver.memory                                      2g
spark.driver.extraJavaOptions                            -XX:TieredStopAtLevel=1
spark.sql.shuffle.partitions                             2
spark.sql.codegen.wholeStage                             false
spark.sql.sources.parallelPartitionDiscovery.threshold   10000
spark.ui.enabled                                         false
spark.executor.heartbeatInterval                         60s
spark.network.timeout                                    1200s
"""
# Of eridanus, and of folders that are not what they are named.
KEPT_OUT = (
    "ops_atomic_20250101.parquet: schema version 99, newer than",
    "ops_atomic_20250102.parquet: schema version 0, older than",
    "query_perf_20250106.parquet: damaged or half synced",
    "ops_atomic_20310101.parquet: of 2031-01-01, a day in the future",
    "machine=fornax: its marts are of grus",
    "machine=hydra: one machine in two folders",
)


class Builds:
    """Builds a fleet's marts on an engine, each in a folder of its own."""

    def __init__(self, fleet: Fleet, scratch: Path) -> None:
        self.fleet, self.scratch = fleet, scratch
        (scratch / "conf").mkdir()
        (scratch / "conf" / "spark-defaults.conf").write_text(CONFIGURATION)

    def marts(self, target: str) -> Path:
        return self.scratch / f"marts {target}"

    def start(self, target: str, command: str = "build") -> subprocess.Popen[str]:
        environment = clean_environment(
            self.scratch,
            OPS_ATOMIC_FLEET=str(self.fleet.path),
            OPS_ATOMIC_FLEET_MARTS=str(self.marts(target)),
            OPS_ATOMIC_AS_OF=NOW,
            SPARK_CONF_DIR=str(self.scratch / "conf"),
            SPARK_LOCAL_IP="127.0.0.1",
        )
        return subprocess.Popen(
            [
                DBT, "--no-use-colors", "--log-path", self.scratch / "logs",
                *command.split(), "--target", target,
                "--target-path", self.scratch / f"target-{target}",
            ],
            env=unmeasured(environment), cwd=PROJECT, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip

    def both(self) -> dict[str, str]:
        """Build on both engines; what they say, by target."""
        running = {target: self.start(target) for target in ("spark", "fleet")}
        said = {target: build.communicate()[0] for target, build in running.items()}
        for target, build in running.items():
            assert build.returncode == 0, said[target]
        return said


@pytest.fixture(scope="module")
def builds(tmp_path_factory: pytest.TempPathFactory) -> Builds:
    """Five machines with outages, gaps, rejects and files that are kept out; and
    two folders that are."""
    require_tool("java")
    if not DBT.exists():
        said = "what Spark takes is not there: make fleet"
        (pytest.fail if os.environ.get("REQUIRE_TOOLS") else pytest.skip)(said)
    # A folder in whose name there is what acts as a pattern.
    fleet = Fleet(tmp_path_factory.mktemp("fleet") / "of [a] {b}")
    publish_all(fleet)
    day = FIRST
    fleet.heartbeat("eridanus", day, schema_version="99")
    fleet.heartbeat("eridanus", day + timedelta(days=1), schema_version="0")
    half = fleet.place("eridanus", "query_perf", FIRST + timedelta(days=5))
    half.write_bytes(half.read_bytes()[:-20])
    fleet.heartbeat("eridanus", date(2031, 1, 1))
    fleet.heartbeat("fornax", day)
    fleet.mart("fornax", says="grus")
    fleet.mart("atlas", says="atlas")
    shutil.copytree(fleet.path / "machine=atlas", fleet.path / "machine=hydra")
    shutil.rmtree(fleet.path / "machine=hydra" / "g" / "analytics" / "marts")
    return Builds(fleet, tmp_path_factory.mktemp("scratch"))


def test_spark_makes_the_rows_that_duckdb_makes(builds: Builds) -> None:
    """From empty; and after late data and a machine's return, of which it makes
    anew what DuckDB does. One test, because each build costs a minute."""
    said = builds.both()
    for line in KEPT_OUT:
        assert line in said["spark"], said["spark"]
    assert_equal(builds.marts("spark"), builds.marts("fleet"))
    assert all(rows(builds.marts("fleet"), mart) for mart in RECIPES.values())
    assert machines(builds) == {*MACHINES}
    assert_types(builds.marts("spark"))

    late, back = FIRST + timedelta(days=2), FIRST + timedelta(days=18)
    publish_day(builds.fleet, "draco", late, late=1)
    builds.fleet.publish("draco", "query_perf", late, source_fingerprint="more")
    publish_day(builds.fleet, "corvus", back)
    # What a build that broke off has left.
    top = builds.marts("spark") / "check_states"
    left = top / ".making-999999999" / "rows" / f"date_partition={late}"
    left.mkdir(parents=True)
    (left / "part-0.parquet").write_bytes(b"half of a file")

    before = {target: files(builds.marts(target)) for target in ("spark", "fleet")}
    builds.both()
    assert not left.exists()
    assert_equal(builds.marts("spark"), builds.marts("fleet"))
    made = {
        target: {
            name
            for name, at in files(builds.marts(target)).items()
            if before[target].get(name) != at
        }
        for target in before
    }
    assert made["spark"] == made["fleet"]
    assert {name for name in made["spark"] if name.startswith("query_perf_daily")} == {
        f"query_perf_daily/date_partition={day}/query_perf_daily.parquet"
        for day in (late, back)
    }
    roots = {path.name for path in builds.fleet.path.iterdir()}
    assert "marts" not in roots
    assert len(days_of("draco")) == len(
        [*builds.fleet.path.glob("machine=draco/g/analytics/ops_atomic_*")]
    )


def test_marts_bring_no_unit_tests_along(builds: Builds) -> None:
    """Which would say what DuckDB makes of them."""
    said = builds.start("spark", "ls --select incidents").communicate()[0]
    assert "reliability.incidents" in said
    assert "unit_test:" not in said


def test_seeds_among_what_is_selected_stop_nothing(builds: Builds) -> None:
    """As `+incidents` selects them. What is shown of them is read with each mart."""
    build = builds.start("spark", "build --select monitored_checks advisor_reports")
    said = build.communicate()[0]
    assert build.returncode == 0, said[-4000:]
    assert "monitored_checks" in said


def machines(builds: Builds) -> set[str]:
    """Of whom Spark has made spans of states."""
    return {row[0] for row in rows(builds.marts("spark"), RECIPES["check_states"])}


def assert_types(marts: Path) -> None:
    """Times have no zone, DOUBLE is no DECIMAL, integers are BIGINT."""
    for mart in RECIPES.values():
        path = next(marts.glob(f"{mart.name}/**/*.parquet"))
        found = duckdb.execute(
            f"describe from read_parquet('{path}', hive_partitioning = false)"
        ).fetchall()
        types = {
            name: "VARCHAR" if kind == "JSON" else kind for name, kind, *_ in found
        }
        expected = {
            column.name: "VARCHAR" if column.type == "JSON" else column.type
            for column in mart.columns
            if not (mart.is_daily and column.name == "date_partition")
        }
        assert types == expected, mart.name


def files(marts: Path) -> dict[str, int]:
    """Every file that is read of the marts, with when it was written."""
    return {
        path.relative_to(marts).as_posix(): path.stat().st_mtime_ns
        for path in marts.rglob("*.parquet")
        if "/." not in path.relative_to(marts).as_posix()
    }
