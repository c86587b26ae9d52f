"""The schema document says what the contracts say."""

from __future__ import annotations

import json

from exporter.contracts.datasets import load_datasets
from exporter.contracts.schema import schema
from ingest.root import PROJECT


def test_the_committed_document_is_current() -> None:
    path = PROJECT / "docs" / "parquet_schema.json"
    committed = json.loads(path.read_text(encoding="utf-8"))
    assert committed == schema(), "run: make schema"


def test_every_contract_is_in_it_in_order() -> None:
    listed = {
        entry["name"]: [(column["name"], column["type"]) for column in entry["columns"]]
        for entry in schema()["datasets"]
    }
    assert listed == {
        name: [(column.name, column.type) for column in dataset.columns]
        for name, dataset in load_datasets().items()
    }


def test_doc_blocks_are_filled_in() -> None:
    text = json.dumps(schema())
    assert "{{" not in text
    assert "UTC calendar day; one Parquet file holds one of them." in text
