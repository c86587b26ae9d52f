"""What SQL sees of the landing is what stands in the source files."""

from __future__ import annotations

from pathlib import Path

import pytest
from duckdb import connect

from exporter.contracts.landing_columns import landing_columns
from exporter.publish import landing_views
from ingest.registry import SOURCES
from ingest.root import Root
from ingest.sources import query_csv


def test_every_source_of_the_landing_is_declared() -> None:
    assert landing_columns().keys() == {*SOURCES, "landed_days"}


def test_columns_and_types_are_those_declared(empty_root: Path) -> None:
    with connect() as db:
        landing_views.create(db, Root(empty_root), [])
        for source, columns in landing_columns().items():
            wanted = [f'null::{kind} as "{name}"' for name, kind in columns.items()]
            declared = db.sql(f"select {', '.join(wanted)}")
            shown = db.sql(f"from landing.{source}")
            assert shown.columns == declared.columns, source
            assert shown.types == declared.types, source
            assert shown.fetchall() == []


@pytest.mark.parametrize("source", ["query_rows", "query_patterns"])
def test_csv_is_declared_in_the_order_in_which_it_is_written(
    source: query_csv.Source,
) -> None:
    declared = [name for name in landing_columns()[source] if name != "day"]
    assert declared == list(query_csv.LANDING_COLUMNS[source])
