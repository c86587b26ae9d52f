"""A staging model declares each cell once; what is not declared does not compile."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterator
from typing import Any

import duckdb
import pytest
import yaml

from exporter.contracts.datasets import MATERIALIZATION, load_datasets
from exporter.contracts.landing_columns import landing_columns
from exporter.contracts.lineage import Code
from exporter.contracts.rendering import DoesNotCompile
from ingest.root import PROJECT
from tests.models import Models, model_texts

STAGING = sorted((PROJECT / "models" / "staging").rglob("*.sql"))
DECLARED = re.compile(r"'(\w+)': \{'type': [^}]*\}")
# What an export yields beside its contract, for the audit to count.
COUNTED = ["landing_source", "outcome"]
# What ingest says about a record, beside the record's own cells.
ABOUT = {
    "source_file", "problem", "raw", "extra_columns", "header", "shape", "version",
}  # fmt: skip
# A record of each source that can be published.
RECORDS = {
    "query_rows": {
        "timestamp": "2025-01-01", "query_hash": "h", "execution_time_ms": "1",
    },
    "query_patterns": {"pattern": "p", "source_file": "query_perf_daily_20250101.csv"},
    "query_log": {"query": "select 1", "total_ms": "1"},
    "telemetry": {"metric": "m", "value": "1"},
    "optimization_summary": {"shape": "json", "event_type": "e"},
}  # fmt: skip


@pytest.fixture
def db() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        yield connection


@functools.cache
def documented_columns() -> dict[str, list[str]]:
    """The columns of each model, as its yml lists them."""
    found = {}
    for path in (PROJECT / "models").rglob("*.yml"):
        document = yaml.load(path.read_text("utf-8"), Loader=yaml.CSafeLoader)
        for model in document.get("models", []):
            found[model["name"]] = [column["name"] for column in model["columns"]]
    return found


def is_documented(models: Models, name: str) -> bool:
    """Whether the columns of a model are those of its yml."""
    columns = models.db.table(models.view(name)).columns
    more = COUNTED if name in load_datasets() else []
    return sorted(columns) == sorted([*documented_columns()[name], *more])


@functools.cache
def datasets_from(model: str) -> list[str]:
    code = Code()
    return [
        name
        for name in load_datasets()
        if model in code.lineage(name, MATERIALIZATION).models
    ]


def declarations() -> Iterator[tuple[str, str]]:
    for path in STAGING:
        for match in DECLARED.finditer(path.read_text("utf-8")):
            yield path.stem, match[1]


def test_each_model_has_the_columns_of_its_yml(db: duckdb.DuckDBPyConnection) -> None:
    models = Models(db)
    for name in models.texts:
        assert is_documented(models, name), name


def test_each_dataset_has_the_types_of_its_contract(
    db: duckdb.DuckDBPyConnection,
) -> None:
    models = Models(db)
    for name, dataset in load_datasets().items():
        view = db.table(models.view(name))
        types = dict(zip(view.columns, map(str, view.types), strict=True))
        contract = {column.name: column.type for column in dataset.columns}
        assert types.keys() == {*contract, *COUNTED}, name
        assert types | contract == types, name


@pytest.mark.parametrize(("model", "cell"), list(declarations()))
def test_a_cell_that_is_no_longer_declared_is_missed(
    model: str, cell: str, db: duckdb.DuckDBPyConnection
) -> None:
    """What is published of it is not found; its model is another one."""
    texts = model_texts()
    texts[model] = re.sub(rf"'{cell}': \{{'type': [^}}]*\}},?", "", texts[model])
    models = Models(db, texts)
    if (model, cell) == ("stg_query_log", "query"):  # only its hash is published
        assert not is_documented(models, model)
        return
    with pytest.raises((duckdb.BinderException, duckdb.ParserException)):
        [models.view(dataset) for dataset in datasets_from(model)]


def test_no_source_has_a_column_of_the_name_of_a_typed_cell() -> None:
    """It would stand beside the typed one, and might be taken for it."""
    landed = {name for columns in landing_columns().values() for name in columns}
    assert not [name for name in landed if name.startswith("typed_")]


@pytest.mark.parametrize(
    "cell", ["{'type': 'integer'}", "{'type': 'bigint', 'requird': true}", "{}"]
)
def test_a_declaration_that_says_nothing_does_not_compile(
    cell: str, db: duckdb.DuckDBPyConnection
) -> None:
    texts = model_texts()
    changed = texts["stg_query_rows"].replace("{'type': 'bigint'}", cell)
    with pytest.raises(DoesNotCompile, match="rows_examined"):
        Models(db, {**texts, "stg_query_rows": changed}).view("stg_query_rows")


def test_cells_are_typed_by_their_declaration_alone() -> None:
    for path in (PROJECT / "models").rglob("*.sql"):
        found = re.search(
            r"\b(to_\w+|utc_timestamp|typed_cell)\(", path.read_text("utf-8")
        )
        assert not found, f"{path.name} calls {found and found[1]}"


@pytest.mark.parametrize(
    ("kind", "keys"),
    [
        (
            "recommendations",
            "table index column sql query_pattern estimated_speedup estimated_cost "
            "priority estimated_impact status",
        ),
        ("slow_queries", "pattern samples avg avg_ms p50 p50_ms p95 p99_ms"),
    ],
)
def test_a_key_of_a_report_is_published_as_it_was_or_rejected(
    kind: str, keys: str, db: duckdb.DuckDBPyConnection
) -> None:
    view = Models(db).view(f"stg_index_advisor_{kind}")
    whole = {"table": "t", "pattern": "p"}
    for key in keys.split():
        db.execute("delete from landing.index_advisor")
        report = {kind: [{**whole, key: "no such thing"}, {**whole, key: " "}]}
        db.execute(
            "insert into landing.index_advisor by name select $1 as report",
            [json.dumps(report)],
        )
        columns = db.table(view).columns
        rows = db.table(view).fetchall()
        odd, blank = (dict(zip(columns, row, strict=True)) for row in rows)
        assert odd["reject_reason"] or "no such thing" in odd.values(), key
        assert " " not in blank.values(), key


def texts_of(source: str) -> list[str]:
    """The cells of a source's records."""
    columns = landing_columns()[source]
    return [
        name for name in columns if columns[name] == "varchar" and name not in ABOUT
    ]


@pytest.mark.parametrize(
    ("source", "cell"),
    [(source, cell) for source in RECORDS for cell in texts_of(source)],
)
def test_a_cell_is_published_as_it_was_or_rejected(
    source: str, cell: str, db: duckdb.DuckDBPyConnection
) -> None:
    def staged(text: str | None) -> dict[str, Any]:
        record = {**RECORDS[source], cell: text}
        cells = ", ".join(f"${name} as {name}" for name in record)
        db.execute(f"delete from landing.{source}")
        db.execute(f"insert into landing.{source} by name select {cells}", record)
        (row,) = db.table(view).fetchall()
        return dict(zip(db.table(view).columns, row, strict=True))

    view = Models(db).view(f"stg_{source}")
    assert staged(RECORDS[source].get(cell))["reject_reason"] is None
    odd = staged("no such thing")
    assert odd["reject_reason"] or "no such thing" in odd.values()
    blank = staged(" ")
    assert " " not in [value for name, value in blank.items() if name != "raw"]
