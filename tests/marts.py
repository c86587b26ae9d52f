"""The marts in a database of their own, over exports that a test fills."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb

from exporter.catalogue.views import create_views
from exporter.contracts.datasets import load_datasets
from exporter.contracts.marts import load_marts
from exporter.contracts.settings import settings_rows
from exporter.publish.moment import show_moment
from ingest.root import PROJECT, Root
from tests.models import Models, model_texts

MARTS = sorted(
    path.stem
    for room in ("reliability", "performance", "operations")
    for path in (PROJECT / "models" / "marts" / room).glob("*.sql")
)


class Marts(Models):
    """Empty exports under their contracts; the marts are views over them."""

    def __init__(self, as_of: datetime, **variables: Any) -> None:
        db = duckdb.connect(config={"threads": 1})
        super().__init__(db, model_texts(), variables)
        show_moment(db, as_of, "m")
        self.exports = load_datasets()
        for name, dataset in self.exports.items():
            cells = ", ".join(f'"{c.name}" {c.type}' for c in dataset.columns)
            db.execute(f"create table all_{name} ({cells})")
            db.execute(
                f"create view {name} as from all_{name} where coalesce(list_contains("
                f"getvariable('read_{name}')::date[], date_partition), true)"
            )
            self.made.add(name)

    def add(self, name: str, rows: Iterable[Mapping[str, Any]]) -> None:
        """Put rows into an export or a seed; columns that they lack are NULL."""
        table = f"all_{name}" if name in self.exports else self.view(name)
        for row in rows:
            cells = ", ".join(f'${cell} as "{cell}"' for cell in row)
            self.db.execute(f"insert into {table} by name select {cells}", dict(row))

    def rows(self, name: str, order: str = "all") -> list[dict[str, Any]]:
        """The rows of a mart."""
        found = self.db.execute(f"select * from {self.view(name)} order by {order}")
        columns = [column[0] for column in found.description or ()]
        return [dict(zip(columns, row, strict=True)) for row in found.fetchall()]

    def of_days(self, days: Iterable[str], reads: Mapping[str, Iterable[str]]) -> Marts:
        """The same marts, made for some days only, from some days of inputs."""
        self.db.execute("set variable publishing_days = $days", {"days": [*days]})
        for name, read in reads.items():
            self.db.execute(f"set variable read_{name} = $days", {"days": [*read]})
        return self


def publish_marts(root: Path, as_of: datetime, *names: str) -> None:
    """Write some marts, or all, of an exported root as of a moment, without dbt."""
    marts = Marts(as_of)
    for name in load_datasets():
        marts.db.execute(f"drop view {name}")
    create_views(marts.db, Root(root))
    for name in MARTS:
        marts.db.execute(f"drop view if exists {name}")
    for name, rows in settings_rows(Root(root)).items():
        marts.db.execute(f"delete from {marts.view(name)}")
        marts.add(name, rows)
    for name, mart in load_marts().items():
        if names and name not in names:
            continue
        cells = ", ".join(
            f'cast("{c.name}" as {c.type}) as "{c.name}"' for c in mart.columns
        )
        order = ", ".join(mart.order_by)
        marts.db.execute(
            f"create temp table made as select {cells} from {marts.view(name)} "
            f"order by {order}"
        )
        days: list[Any] = [None]
        if mart.is_daily:
            found = "select distinct date_partition from made"
            days = [day for (day,) in marts.db.execute(found).fetchall()]
        for day in days:
            place = root / mart.file(day)
            place.parent.mkdir(parents=True, exist_ok=True)
            where = f"where date_partition = '{day}'" if day else ""
            marts.db.execute(f"copy (from made {where}) to '{place}'")
        marts.db.execute("drop table made")
