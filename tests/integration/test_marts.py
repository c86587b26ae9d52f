"""The marts beyond the exports, as dbt makes them."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from tests.marts import MARTS
from tests.support import run_dbt

ROOMS = "reliability", "performance", "operations"


@pytest.mark.parametrize("of", ["root", "empty_root"])
def test_every_mart_is_made_under_its_contract(
    of: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """And what its unit tests say of it holds."""
    root: Path = request.getfixturevalue(of)
    rooms = [f"path:models/marts/{room}" for room in ROOMS]
    # Examples need no data: once is enough.
    skipped = [] if of == "root" else ["--exclude-resource-type", "unit_test"]
    done = run_dbt(
        root, tmp_path, "build", "--vars", "{marts: true}", *skipped,
        "--select", *rooms,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    with duckdb.connect(str(tmp_path / "ops_atomic.duckdb"), read_only=True) as db:
        rows = {
            name: len(db.execute(f"select * from {name}").fetchall()) for name in MARTS
        }
    if of == "empty_root":
        assert not any(rows.values())
    else:
        assert all(rows[name] for name in ("check_states", "slo_status", "incidents"))


def test_without_being_asked_for_no_mart_is_made(root: Path, tmp_path: Path) -> None:
    done = run_dbt(root, tmp_path, "ls", "--output", "name")
    assert done.returncode == 0, done.stdout[-4000:]
    assert not set(MARTS) & set(done.stdout.split())
