"""Whether what a model yields has the columns of its contract, and their types."""

from __future__ import annotations

from collections.abc import Iterable

from duckdb import DuckDBPyConnection

from exporter.contracts.datasets import Column


class OtherColumns(Exception):
    """A model's columns, by name the types, are not those that are `due`."""

    def __init__(self, found: dict[str, str], due: dict[str, str]) -> None:
        super().__init__(f"{found} in place of {due}")
        self.found = found
        self.due = due


def check_columns(
    db: DuckDBPyConnection, query: str, contract: Iterable[Column]
) -> None:
    """Hold the columns of a query against a contract. Raises OtherColumns."""
    found = _columns(db, query)
    due = {column.name: column.type for column in contract}
    if found == due:
        return
    # A contract may spell a type otherwise than DuckDB.
    empty = ", ".join(f'null::{kind} as "{name}"' for name, kind in due.items())
    due = _columns(db, f"select {empty}")
    if found != due:
        raise OtherColumns(found, due)


def _columns(db: DuckDBPyConnection, query: str) -> dict[str, str]:
    rows = db.execute(f"describe ({query}\n)").fetchall()
    return {name: kind for name, kind, *_ in rows}
