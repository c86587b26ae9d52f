"""A mart of another version is in nobody's way, and is not read as if it were ours."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import duckdb
import pytest

from exporter.fleet.partitions import MartStore
from exporter.fleet.recipes import load_recipes
from exporter.fleet.views import show_mart


def test_a_mart_that_lacks_a_column_is_shown_and_says_so_when_read(
    tmp_path: Path,
) -> None:
    build: Any = SimpleNamespace(marts=MartStore(tmp_path))
    mart = load_recipes()["fleet_status"]
    path = tmp_path / mart.name / f"{mart.name}.parquet"
    path.parent.mkdir()
    db = duckdb.connect()
    db.execute(f"copy (select 'atlas' as machine) to '{path}'")
    show_mart(db, build, mart, "main")
    described = db.execute(f"describe {mart.name}").fetchall()
    assert [name for name, *_ in described] == [c.name for c in mart.columns]
    with pytest.raises(duckdb.Error, match="fleet_status was made by another version"):
        db.execute(f"from {mart.name}")
