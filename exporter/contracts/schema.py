"""The published contracts as one JSON document, for readers without dbt.

`python -m exporter.contracts.schema` prints it; `make schema` writes it to
`docs/parquet_schema.json`.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

from exporter.contracts.datasets import (
    EXPORTS,
    Dataset,
    load_datasets,
    read_contract,
)
from exporter.contracts.marts import Mart, load_marts
from ingest.root import PROJECT

DOC_BLOCK = re.compile(r"\{% docs (\w+) %\}(.*?)\{% enddocs %\}", re.DOTALL)
DOC_CALL = re.compile(r"\{\{ doc\('(\w+)'\) \}\}")

FILE_METADATA = {
    "schema_version": "version of the contract below",
    "source_fingerprint": "stands for the content that the day was made from",
    "model_fingerprint": "stands for the code that shaped it",
    "landed_records": "records of the day that ingest counted for the dataset; "
    "of a mart the rows that it was made from",
}


def schema(project: Path = PROJECT) -> dict[str, Any]:
    """Files, columns and types of every dataset and mart, in the order of names."""
    blocks = doc_blocks(project)
    return {
        "format": "Parquet, snappy, one file per dataset and day; a mart may be one",
        "file_metadata": FILE_METADATA,
        "datasets": [
            _contract(dataset, project, blocks)
            for dataset in load_datasets(project).values()
        ],
        "marts": [
            _contract(mart, project, blocks)
            for _, mart in sorted(load_marts(project).items())
        ],
    }


def _contract(
    table: Dataset | Mart, project: Path, blocks: dict[str, str]
) -> dict[str, Any]:
    (path,) = (project / EXPORTS.parent).glob(f"*/{table.name}.yml")
    model = read_contract(path)
    made_from = (
        {"sources": list(table.sources)}
        if isinstance(table, Dataset)
        else {"reads": sorted(table.reads)}
    )
    types = {column.name: column.type for column in table.columns}
    meta = model["config"]["meta"]
    accepted = meta.get("accepted_values", {})
    return {
        "name": table.name,
        "description": plain(table.description, blocks),
        "path": table.path,
        "schema_version": table.schema_version,
        **made_from,
        "unique": meta.get("key", []),
        "columns": [
            {
                "name": column["name"],
                "type": types[column["name"]],
                "nullable": {"type": "not_null"} not in column.get("constraints", []),
                **(
                    {"accepted_values": accepted[column["name"]]}
                    if column["name"] in accepted
                    else {}
                ),
                "description": plain(column["description"], blocks),
            }
            for column in model["columns"]
        ],
    }


def doc_blocks(project: Path = PROJECT) -> dict[str, str]:
    """The texts that several descriptions share, by name."""
    return {
        name: text
        for path in sorted((project / "models").rglob("*.md"))
        for name, text in DOC_BLOCK.findall(path.read_text(encoding="utf-8"))
    }


def plain(description: str, blocks: dict[str, str]) -> str:
    """The text with its doc blocks filled in, on one line."""
    return " ".join(DOC_CALL.sub(lambda call: blocks[call[1]], description).split())


if __name__ == "__main__":
    json.dump(schema(), sys.stdout, indent=2, ensure_ascii=False)
    sys.stdout.write("\n")
