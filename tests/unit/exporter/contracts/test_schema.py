"""The schema document says what the contracts say."""

from __future__ import annotations

import json

from exporter.contracts.datasets import load_datasets
from exporter.contracts.marts import load_marts
from exporter.contracts.schema import schema
from ingest.root import PROJECT


def test_the_committed_document_is_current() -> None:
    path = PROJECT / "docs" / "parquet_schema.json"
    committed = json.loads(path.read_text(encoding="utf-8"))
    assert committed == schema(), "run: make schema"


def test_every_contract_is_in_it_in_order() -> None:
    for kind, tables in (("datasets", load_datasets()), ("marts", load_marts())):
        listed = {
            entry["name"]: [(cell["name"], cell["type"]) for cell in entry["columns"]]
            for entry in schema()[kind]
        }
        assert [*listed] == sorted(listed)
        assert listed == {
            name: [(column.name, column.type) for column in table.columns]
            for name, table in tables.items()
        }


def test_doc_blocks_are_filled_in() -> None:
    text = json.dumps(schema())
    assert "{{" not in text
    assert "UTC calendar day; one Parquet file holds one of them." in text
