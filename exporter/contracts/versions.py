"""Which columns each version of a contract has: `docs/schema_versions.json`.

Published files say the version of their contract, and a run makes those of an
older one again. So columns that change ask for a new version.
`python -m exporter.contracts.versions` adds what is not written down yet.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from exporter.contracts.datasets import EXPORTS, Dataset, load_datasets
from ingest.root import PROJECT

PATH = PROJECT / "docs" / "schema_versions.json"

# By dataset and version, the columns with their types.
Versions = dict[str, dict[str, list[str]]]


def read_versions(path: Path = PATH) -> Versions:
    versions: Versions = json.loads(path.read_text(encoding="utf-8"))
    return versions


def columns_of(dataset: Dataset) -> list[str]:
    return [f"{column.name} {column.type}" for column in dataset.columns]


def find_changes(recorded: Versions, datasets: dict[str, Dataset]) -> list[str]:
    """What is to be done for contracts that are not as their version was."""
    return [
        f"{EXPORTS / name}.yml: the columns are not those of schema_version "
        f"{dataset.schema_version}: set it to {dataset.schema_version + 1}"
        for name, dataset in datasets.items()
        if recorded.get(name, {}).get(str(dataset.schema_version))
        not in (None, columns_of(dataset))
    ]


def add_missing(recorded: Versions, datasets: dict[str, Dataset]) -> Versions:
    """The record with the versions that it does not have yet."""
    added = {name: dict(versions) for name, versions in recorded.items()}
    for name, dataset in datasets.items():
        versions = added.setdefault(name, {})
        versions.setdefault(str(dataset.schema_version), columns_of(dataset))
    return dict(sorted(added.items()))


def main() -> None:
    recorded, datasets = read_versions(), load_datasets()
    if changes := find_changes(recorded, datasets):
        sys.exit("\n".join(changes))
    text = json.dumps(add_missing(recorded, datasets), indent=2) + "\n"
    PATH.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
