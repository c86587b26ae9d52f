"""The views show what is published, whatever lies beside it."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import duckdb
import pytest

from exporter.catalogue.views import create_views
from exporter.contracts.datasets import Dataset, load_datasets
from ingest.root import Root

DATASETS = load_datasets()
DAY = date(2025, 10, 28)


@pytest.fixture(params=["plain", "it's 2*[x]? %s", "year=1999/month=odd"])
def root(request: pytest.FixtureRequest, tmp_path: Path) -> Root:
    """Paths that mean something to SQL, to patterns, to hive partitioning."""
    path = tmp_path / request.param
    path.mkdir(parents=True)
    return Root(path)


def publish(root: Root, dataset: Dataset, day: date, columns: int = 99) -> Path:
    """A file with one row of a day, of the contract's first columns only."""
    place = root.path / dataset.file(day)
    place.parent.mkdir(parents=True, exist_ok=True)
    cells = [
        f"date '{day}' as date_partition"
        if column.name == "date_partition"
        else f'null::{column.type} as "{column.name}"'
        for column in dataset.columns[:columns]
    ]
    with duckdb.connect() as db:
        db.execute(
            f"copy (select {', '.join(cells)}) to $place (format parquet, kv_metadata "
            "{source_fingerprint: 'of ours'})",
            {"place": str(place)},
        )
    return place


def views(root: Root) -> duckdb.DuckDBPyConnection:
    db = duckdb.connect()
    create_views(db, root)
    return db


def days(db: duckdb.DuckDBPyConnection, dataset: Dataset) -> list[date]:
    rows = db.execute(f"select date_partition from {dataset.name} order by all")
    return [day for (day,) in rows.fetchall()]


def test_without_files_a_view_is_typed_and_empty(tmp_path: Path) -> None:
    with views(Root(tmp_path)) as db:
        for dataset in DATASETS.values():
            found = db.execute(f"describe {dataset.name}").fetchall()
            assert [row[:2] for row in found] == [
                (column.name, column.type) for column in dataset.columns
            ]
            assert days(db, dataset) == []


def test_every_view_and_column_is_explained(tmp_path: Path) -> None:
    with views(Root(tmp_path)) as db:
        silent = db.execute(
            """
            select view_name from duckdb_views() where not internal
            and coalesce(comment, '') = '' union all
            select table_name || '.' || column_name from duckdb_columns()
            where not internal and coalesce(comment, '') = ''
            """
        ).fetchall()
        told = db.execute("select string_agg(comment) from duckdb_columns()").fetchone()
    assert silent == []
    assert told is not None
    assert "{{" not in told[0]


@pytest.mark.parametrize("name", ["ops_atomic", "query_perf", "run_log"])
def test_days_come_and_go_without_the_views_being_made_again(
    root: Root, name: str
) -> None:
    dataset = DATASETS[name]
    first = publish(root, dataset, DAY)
    with views(root) as db:
        publish(root, dataset, DAY + timedelta(days=40))
        assert days(db, dataset) == [DAY, DAY + timedelta(days=40)]
        first.unlink()
        assert days(db, dataset) == [DAY + timedelta(days=40)]


def test_what_lies_beside_the_files_is_not_shown(root: Root) -> None:
    dataset = DATASETS["ops_atomic"]
    place = publish(root, dataset, DAY)
    for name in ("ops_atomic_copy.parquet", f"{place.name}.damaged", "x.parquet"):
        place.with_name(name).write_bytes(b"no Parquet")
    with views(root) as db:
        assert days(db, dataset) == [DAY]


@pytest.mark.parametrize("name", ["ops_atomic", "query_perf"])
def test_a_damaged_or_foreign_file_takes_none_of_the_others_along(
    root: Root, name: str
) -> None:
    dataset = DATASETS[name]
    publish(root, dataset, DAY)
    publish(root, dataset, DAY + timedelta(days=1)).write_bytes(b"PAR1 torn")
    foreign = root.path / dataset.file(DAY + timedelta(days=2))
    with duckdb.connect() as db:
        query = "copy (select 'x' as said) to $place (format parquet)"
        db.execute(query, {"place": str(foreign)})
    with views(root) as db:
        assert days(db, dataset) == [DAY]


def test_a_column_that_a_file_lacks_is_null_in_its_rows(root: Root) -> None:
    dataset = DATASETS["query_perf"]
    columns = len(dataset.columns)
    lacking = dataset.columns[-1].name
    assert lacking != "date_partition"
    publish(root, dataset, DAY, columns - 1)
    with views(root) as db:
        assert [row[0] for row in db.execute("describe query_perf").fetchall()] == [
            column.name for column in dataset.columns
        ]
        assert db.execute(f"select {lacking} from query_perf").fetchall() == [(None,)]
    publish(root, dataset, DAY + timedelta(days=1))
    with views(root) as db:
        assert days(db, dataset) == [DAY, DAY + timedelta(days=1)]
