"""The landing as DuckDB sees it."""

from __future__ import annotations

import gzip
from pathlib import Path

import duckdb

from exporter.publish import landing_views
from ingest.root import Root
from ingest.sources.csv_records import landing_line
from ingest.sources.query_csv import LANDING_COLUMNS
from ingest.text.clean import RAW_LIMIT

PART = ("query_rows", "2025-01-01", "query_perf_daily_20250101.csv.gz")


def landed(root: Root, rows: list[list[str | None]]) -> duckdb.DuckDBPyConnection:
    """A connection with little memory to a landing with one part."""
    source, day, name = PART
    path = root.landing / source / f"day={day}" / name
    path.parent.mkdir(parents=True)
    lines = [",".join(LANDING_COLUMNS[source]), *map(landing_line, rows)]  # type: ignore[index]
    path.write_bytes(gzip.compress("\n".join([*lines, ""]).encode()))
    db = duckdb.connect(config={"memory_limit": "96MiB", "threads": 2})
    landing_views.create(db, root, [PART])
    return db


def test_to_read_csv_takes_little_memory_however_long_a_row_may_be(
    tmp_path: Path,
) -> None:
    width = len(LANDING_COLUMNS["query_rows"])
    usual: list[str | None] = ["x"] * width
    # Header, raw text and what else is kept of a record, at their longest.
    longest: list[str | None] = [*usual[:-4], "😀" * RAW_LIMIT, *usual[-3:]]
    longest[-1] = longest[0] = "😀" * RAW_LIMIT
    db = landed(Root(tmp_path), [usual] * 1_000 + [longest] + [usual] * 1_000)
    found = db.execute("select count(*), max(length(raw)) from landing.query_rows")
    assert found.fetchone() == (2_001, RAW_LIMIT)
