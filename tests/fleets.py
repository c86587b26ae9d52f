"""A fleet's storage, made quickly: machines' exports as Parquet, by SQL."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import duckdb

from exporter.contracts.datasets import Dataset, load_datasets


class Fleet:
    """Writes files as machines publish them, below `machine=<name>/`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.datasets = load_datasets()
        self.db = duckdb.connect(config={"threads": 1})

    def publish(
        self, machine: str, dataset: str, day: date, rows: str = "", **footer: str
    ) -> Path:
        """A file of rows, a SELECT of columns by name; what it lacks is NULL.

        `footer` takes the place of what a machine would say there.
        """
        contract = self.datasets[dataset]
        cells = ", ".join(f'null::{c.type} as "{c.name}"' for c in contract.columns)
        self.db.execute(f"create or replace temp table rows as select {cells} limit 0")
        if rows:
            self.db.execute(f"insert into rows by name {rows}")
        return self.write(machine, contract, day, "rows", rows, **footer)

    def write(
        self, machine: str, contract: Dataset, day: date, table: str, content: str,
        **footer: str,
    ) -> Path:  # fmt: skip
        """A file of a table's rows, with the footer of a published one."""
        path = self.place(machine, contract.name, day)
        path.parent.mkdir(parents=True, exist_ok=True)
        marks: Mapping[str, str] = {
            "dataset": contract.name,
            "day": str(day),
            "schema_version": str(contract.schema_version),
            "source_fingerprint": _mark(f"{machine} {day} {content}"),
            "model_fingerprint": _mark(contract.name),
            "landed_records": "1" if content else "0",
            **footer,
        }
        pairs = ", ".join(f"{name}: '{value}'" for name, value in marks.items())
        self.db.execute(
            f"copy {table} to '{path}' (format parquet, compression snappy, "
            f"parquet_version v1, kv_metadata {{{pairs}}})"
        )
        return path

    def place(self, machine: str, dataset: str, day: date) -> Path:
        return self.path / f"machine={machine}" / self.datasets[dataset].file(day)

    def heartbeat(self, machine: str, day: date, **footer: str) -> Path:
        """A day of one heartbeat."""
        return self.publish(machine, "ops_atomic", day, heartbeats(day), **footer)

    def mart(self, machine: str, says: str, name: str = "incidents") -> Path:
        """A machine's own mart, of one file, that names a machine."""
        folder = self.path / f"machine={machine}" / "g" / "analytics" / "marts"
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{name}.parquet"
        self.db.execute(f"copy (select '{says}' as machine) to '{path}'")
        return path


def heartbeats(day: date) -> str:
    """A SELECT of a day's one heartbeat."""
    return (
        f"select 'heartbeat_{day}_12-00-00.md' as filename, 'heartbeat' as "
        f"report_type, timestamp '{day} 12:00:00' as timestamp, 'ok' as status, "
        f"date '{day}' as date_partition"
    )


def _mark(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
