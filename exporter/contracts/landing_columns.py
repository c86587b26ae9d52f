"""The columns of the landing as SQL sees them, as the source files declare them."""

from __future__ import annotations

import functools
from pathlib import Path

import yaml

from ingest.root import PROJECT

SOURCE_FILES = "models/staging/*/_*__sources.yml"


@functools.cache
def landing_columns(project: Path = PROJECT) -> dict[str, dict[str, str]]:
    """Types by column, in their order, of each source of the landing.

    `day` is among them: the partition of most sources.
    """
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    columns = {}
    for path in sorted(project.glob(SOURCE_FILES)):
        document = yaml.load(path.read_text(encoding="utf-8"), Loader=loader)
        for source in document["sources"]:
            if source["name"] == "landing":
                for table in source["tables"]:
                    columns[table["name"]] = {
                        column["name"]: column["data_type"]
                        for column in table["columns"]
                    }
    return columns
