"""Columns that change ask for a new schema_version."""

from __future__ import annotations

from dataclasses import replace

from exporter.contracts.datasets import Column, load_datasets
from exporter.contracts.versions import (
    add_missing,
    find_changes,
    published_tables,
    read_versions,
)


def test_the_contracts_have_the_columns_of_their_versions() -> None:
    recorded, tables = read_versions(), published_tables()
    assert find_changes(recorded, tables) == []
    assert add_missing(recorded, tables) == recorded, "run: make schema"


def test_another_column_asks_for_another_version() -> None:
    datasets = load_datasets()
    recorded = add_missing({}, datasets)
    old = datasets["ops_atomic"]
    column = Column("host", "VARCHAR", "Where it ran.")
    new = replace(old, columns=(*old.columns, column))
    [said] = find_changes(recorded, {"ops_atomic": new})
    wanted = old.schema_version + 1
    assert said.startswith("ops_atomic.yml: ")
    assert said.endswith(f"set it to {wanted}")
    raised = {"ops_atomic": replace(new, schema_version=wanted)}
    assert find_changes(recorded, raised) == []
    assert set(add_missing(recorded, raised)["ops_atomic"]) == {
        str(old.schema_version), str(wanted),
    }  # fmt: skip
