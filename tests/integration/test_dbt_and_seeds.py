"""What plain dbt builds with are the seeds as they lie now."""

from __future__ import annotations

from pathlib import Path

import duckdb

from tests import faults
from tests.support import copy_project, run_dbt


def seeds(scratch: Path) -> dict[str, list[tuple[object, ...]]]:
    """Columns, types and rows of the seeds' tables."""
    with duckdb.connect(str(scratch / "ops_atomic.duckdb")) as db:
        names = ("known_columns", "masks", "monitored_checks")
        return {
            name: [*db.sql(f"describe {name}").fetchall(), *db.table(name).fetchall()]
            for name in names
        }


def test_a_build_uses_the_seeds_as_they_lie_now(root: Path, tmp_path: Path) -> None:
    project = copy_project(tmp_path / "project")
    seed = project / "seeds" / "monitored_checks.csv"
    text = seed.read_text(encoding="utf-8")
    before = faults.contents(faults.published(root))

    def succeeds(command: str) -> None:
        done = run_dbt(root, tmp_path, command, project=project)
        assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]

    seed.write_text(text.replace("Redis,Status,", "Redis,Nothing,"), encoding="utf-8")
    succeeds("run --select ops_atomic")  # alone, in a fresh database
    assert set(faults.rows(root, faults.BEATS, "redis_status")) == {(None,)}

    seed.write_text(text, encoding="utf-8")
    succeeds("run")
    after = faults.contents(faults.published(root))
    assert after == before, "repaired"

    by_run = seeds(tmp_path)
    assert {column[1] for column in by_run["known_columns"][:3]} == {"VARCHAR"}
    succeeds("seed")
    assert seeds(tmp_path) == by_run


def test_the_name_of_a_model_selects_that_one(
    example_root: Path, tmp_path: Path
) -> None:
    listed = run_dbt(
        example_root, tmp_path / "scratch", "ls", "--quiet",
        "--resource-type", "model", "--select", "ops_atomic",
    )  # fmt: skip
    assert listed.stdout.splitlines() == ["ops_atomic_reports.marts.exports.ops_atomic"]


def test_the_target_of_the_nightly_run_is_not_for_hands(
    example_root: Path, tmp_path: Path
) -> None:
    done = run_dbt(
        example_root, tmp_path / "scratch", "build", "--target", "nightly",
        "--select", "ops_atomic",
    )  # fmt: skip
    assert done.returncode != 0
    assert "leave out --target nightly" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


def test_a_build_uses_the_settings_as_they_lie_now(
    example_root: Path, tmp_path: Path
) -> None:
    settings = example_root / "g/analytics/settings"
    settings.mkdir(parents=True)

    def targets() -> list[tuple[object, ...]]:
        done = run_dbt(example_root, tmp_path, "run --select ops_atomic")
        assert done.returncode == 0, done.stdout[-4000:]
        with duckdb.connect(str(tmp_path / "ops_atomic.duckdb")) as db:
            found = db.sql("select * from slo_targets order by all").fetchall()
            kinds = db.sql("select distinct typeof(target) from slo_targets").fetchall()
            assert kinds == [("DOUBLE",)]
            windows = db.sql("select ended_at from maintenance_windows").fetchall()
            assert windows == ([(None,)] if (settings / WINDOWS).exists() else [])
        if "redis" in (settings / "slo_targets.csv").read_text():
            assert "slo_targets.csv, line 3, column target" in done.stdout
        return found

    (settings / "slo_targets.csv").write_text("check_key,target\n")
    assert targets() == [("*", 0.99), ("overall", 0.99)]
    text = "check_key,target\noverall,0.5\nredis,2\n"
    (settings / "slo_targets.csv").write_text(text)
    (settings / WINDOWS).write_text("check_key,started_at\n*,2025-01-01\n")
    assert targets() == [("*", 0.99), ("overall", 0.5)]


WINDOWS = "maintenance_windows.csv"
