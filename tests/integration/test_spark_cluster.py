"""A fleet's marts on a real Spark cluster, one machine of which dies."""

from __future__ import annotations

from pathlib import Path

from tests.fleet_days import NOW, publish_all
from tests.fleet_marts import assert_equal
from tests.fleets import Fleet
from tests.spark_cluster import FLEET, PATIENCE_S, spark_cluster
from tests.support import clean_environment, unmeasured

# Daily ones and one that is one file, made from each other and beside each other:
# that each mart has its rows, test_fleet_on_spark.py says.
MARTS = {"check_states", "uptime_daily", "query_perf_daily", "incidents"}
# Of a mart that is one file, and of the record of a daily one.
ENDS = (".parquet", ".json")


def test_a_build_outlives_a_worker(tmp_path: Path) -> None:
    """Killed with its executor while marts are made: the other one does it all."""
    fleet = Fleet(tmp_path / "fleet")
    publish_all(fleet, ("draco", "corvus"))
    marts = {target: tmp_path / target for target in ("spark", "fleet")}

    def environment(target: str) -> dict[str, str]:
        return unmeasured(
            clean_environment(
                tmp_path,
                OPS_ATOMIC_FLEET=str(fleet.path),
                OPS_ATOMIC_FLEET_MARTS=str(marts[target]),
                OPS_ATOMIC_AS_OF=NOW,
            )
        )

    def command(target: str, *more: str) -> list[str | Path]:
        return [
            FLEET / "bin" / "dbt", "--no-use-colors", "--log-path", tmp_path / "logs",
            "build", "--target", target, "--target-path", tmp_path / f"target-{target}",
            *more,
        ]  # fmt: skip

    def made() -> set[str]:
        """The marts of which all files are in their places."""
        found = marts["spark"].glob("*/*")
        return {path.parent.name for path in found if path.suffix in ENDS}

    with spark_cluster(tmp_path / "cluster") as cluster:
        chosen = ("--select", *(f"+{mart}" for mart in sorted(MARTS)))
        build = cluster.start("build", command("spark", *chosen), environment("spark"))
        # Both take part, and something is in its place.
        cluster.wait_for("master", r"Launching executor \S+ on worker", 2)
        cluster.wait_until("build", lambda: bool(made()))
        cluster.kill("worker-1")
        before = made()
        assert build.wait(PATIENCE_S) == 0, cluster.log("build")
        assert before < made()
        assert "Lost executor" in cluster.log("build")
        alone = cluster.start("alone", command("fleet"), environment("fleet"))
        assert alone.wait(PATIENCE_S) == 0, cluster.log("alone")
    assert_equal(marts["spark"], marts["fleet"], MARTS)
    assert made() == MARTS
