"""The columns of the landing, and of the state, as the source files declare them."""

from __future__ import annotations

import functools
from pathlib import Path

from exporter.contracts.yml import read_yml
from ingest.root import PROJECT

SOURCE_FILES = "models/staging/*/_*__sources.yml"
STATE_FILES = "models/staging/runs/_runs__sources.yml"


@functools.cache
def landing_columns(project: Path = PROJECT) -> dict[str, dict[str, str]]:
    """Types by column, in their order, of each source of the landing.

    `day` is among them: the partition of most sources.
    """
    return _columns(project, SOURCE_FILES, "landing")


@functools.cache
def state_columns(project: Path = PROJECT) -> dict[str, dict[str, str]]:
    """The same of what else the state holds: records of runs."""
    return _columns(project, STATE_FILES, "state")


def _columns(project: Path, pattern: str, group: str) -> dict[str, dict[str, str]]:
    columns = {}
    for path in sorted(project.glob(pattern)):
        document = read_yml(path)
        for source in document["sources"]:
            if source["name"] == group:
                for table in source["tables"]:
                    columns[table["name"]] = {
                        column["name"]: column["data_type"]
                        for column in table["columns"]
                    }
    return columns
