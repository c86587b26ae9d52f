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
