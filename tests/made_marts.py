"""The marts of a root's exports, published as a run would publish them."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from exporter.contracts.datasets import load_datasets
from exporter.contracts.marts import load_marts
from exporter.contracts.settings import settings_rows
from ingest.root import Root
from tests.marts import Marts


def publish_marts(root: Path, as_of: datetime, *names: str) -> None:
    """Write the files of some marts as of a moment, without dbt."""
    made = Marts(as_of)
    for name, dataset in load_datasets().items():
        if files := [str(path) for path in root.glob(dataset.glob)]:
            made.db.execute(
                f"insert into all_{name} by name from read_parquet($1, "
                "hive_partitioning = false)",
                [files],
            )
    for name, rows in settings_rows(Root(root)).items():
        made.view(name)
        made.db.execute(f"delete from {name}")
        made.add(name, rows)
    marts = load_marts()
    for name in names:
        mart = marts[name]
        view = made.view(name)
        cells = ", ".join(column.name for column in mart.columns)
        days = [None]
        if "{" in mart.path:
            found = made.db.execute(f"select distinct date_partition from {view}")
            days = [row[0] for row in found.fetchall()]
        for day in days:
            path = root / mart.file(day)
            path.parent.mkdir(parents=True, exist_ok=True)
            where = f"where date_partition = '{day}'" if day else ""
            made.db.execute(
                f"copy (select {cells} from {view} {where}) to '{path}' "
                "(format parquet, compression snappy)"
            )
    made.db.close()
