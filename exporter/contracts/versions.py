"""Which columns each version of a contract has: `docs/schema_versions.json`.

Published files say the version of their contract, and a run makes those of an
older one again. So columns that change ask for a new version.
`python -m exporter.contracts.versions` adds what is not written down yet.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path

from exporter.contracts.datasets import Table, load_datasets
from exporter.contracts.marts import load_marts
from ingest.root import PROJECT

PATH = PROJECT / "docs" / "schema_versions.json"

# By dataset or mart and version, the columns with their types.
Versions = dict[str, dict[str, list[str]]]


def read_versions(path: Path = PATH) -> Versions:
    versions: Versions = json.loads(path.read_text(encoding="utf-8"))
    return versions


def columns_of(table: Table) -> list[str]:
    return [f"{column.name} {column.type}" for column in table.columns]


def published_tables() -> dict[str, Table]:
    """All datasets and marts."""
    return {**load_datasets(), **load_marts()}


def find_changes(recorded: Versions, tables: Mapping[str, Table]) -> list[str]:
    """What is to be done for contracts that are not as their version was."""
    return [
        f"{name}.yml: the columns are not those of schema_version "
        f"{table.schema_version}: set it to {table.schema_version + 1}"
        for name, table in tables.items()
        if recorded.get(name, {}).get(str(table.schema_version))
        not in (None, columns_of(table))
    ]


def add_missing(recorded: Versions, tables: Mapping[str, Table]) -> Versions:
    """The record with the versions that it does not have yet."""
    added = {name: dict(versions) for name, versions in recorded.items()}
    for name, table in tables.items():
        versions = added.setdefault(name, {})
        versions.setdefault(str(table.schema_version), columns_of(table))
    return dict(sorted(added.items()))


def main() -> None:
    recorded, tables = read_versions(), published_tables()
    if changes := find_changes(recorded, tables):
        sys.exit("\n".join(changes))
    text = json.dumps(add_missing(recorded, tables), indent=2) + "\n"
    PATH.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
