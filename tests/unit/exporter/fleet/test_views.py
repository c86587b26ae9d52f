"""A mart of another version, or a damaged one, is in nobody's way, and is not read
as if it were ours."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import duckdb
import pytest

from exporter.fleet.partitions import MartStore
from exporter.fleet.recipes import load_recipes
from exporter.fleet.views import show_mart


@pytest.mark.parametrize(
    ("cut", "said"),
    [
        (None, "fleet_status was made by another version: build it, too"),
        (-9, r"fleet_status cannot be read \(.*fleet_status.parquet.*: build it, too"),
    ],
)
def test_a_mart_that_is_not_as_ours_are_is_shown_and_says_so_when_read(
    cut: int | None, said: str, tmp_path: Path
) -> None:
    build: Any = SimpleNamespace(marts=MartStore(tmp_path))
    mart = load_recipes()["fleet_status"]
    path = tmp_path / mart.name / f"{mart.name}.parquet"
    path.parent.mkdir()
    db = duckdb.connect()
    db.execute(f"copy (select 'atlas' as machine) to '{path}'")
    path.write_bytes(path.read_bytes()[:cut])
    show_mart(db, build, mart, "main")
    described = db.execute(f"describe {mart.name}").fetchall()
    assert [name for name, *_ in described] == [c.name for c in mart.columns]
    with pytest.raises(duckdb.Error, match=said):
        db.execute(f"from {mart.name}")
