"""Contracts, and the code that shapes each dataset."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
import yaml

from exporter.contracts.datasets import EXPORTS, choose, load_datasets
from exporter.contracts.landing_columns import landing_columns
from ingest.root import PROJECT


def test_the_datasets() -> None:
    assert list(load_datasets()) == [
        "advisor_reports", "heartbeat_checks", "index_advisor", "landed_counts",
        "ops_atomic", "optimization_summary", "query_patterns", "query_perf",
        "query_texts", "rejected_records", "report_checks", "run_log",
        "schema_drift",
    ]  # fmt: skip


def test_where_a_day_is_published() -> None:
    query_perf = load_datasets()["query_perf"]
    path = query_perf.file(date(2025, 1, 2))
    assert path == (
        "knowledge/optimize/parquet/query_perf/year=2025/month=01/"
        "query_perf_20250102.parquet"
    )
    assert query_perf.folder == "knowledge/optimize/parquet/query_perf"
    assert query_perf.glob.endswith("query_perf/year=*/month=*/query_perf_*.parquet")
    match = query_perf.name_pattern.fullmatch("query_perf_20250102.parquet")
    assert match
    assert match[1] == "20250102"
    assert query_perf.file(date(33, 1, 2)).endswith("query_perf_00330102.parquet")


def test_rejects_and_drift_always_come_along() -> None:
    datasets = load_datasets()
    assert choose(datasets, ()) == datasets
    assert set(choose(datasets, ["query_perf"])) == {
        "query_perf", "rejected_records", "schema_drift",
    }  # fmt: skip


EVERY = set(load_datasets())


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the code; a test leaves it as it was."""
    copy = tmp_path_factory.mktemp("project")
    for name in ("models", "macros", "seeds", "ingest"):
        shutil.copytree(PROJECT / name, copy / name)
    return copy


def made_stale(project: Path, name: str, change: Callable[[str], str]) -> set[str]:
    """The datasets that a change to one file makes stale."""
    path = project / name
    before = load_datasets(project)
    text = path.read_text(encoding="utf-8")
    assert change(text) != text
    try:
        path.write_text(change(text), encoding="utf-8")
        landing_columns.cache_clear()
        after = load_datasets(project)
    finally:
        path.write_text(text, encoding="utf-8")
        landing_columns.cache_clear()
    return {
        dataset
        for dataset in before
        if before[dataset].model_fingerprint != after[dataset].model_fingerprint
    }


def test_fingerprints_are_the_same_anywhere(project: Path) -> None:
    assert load_datasets(project) == load_datasets()


@pytest.mark.parametrize(
    ("changed", "old", "new", "stale"),
    [
        ("models/marts/exports/query_perf.sql", "executed_at", "now()", {"query_perf"}),
        (
            "models/intermediate/int_queries.sql", "union all", "union",
            {"query_perf", "rejected_records"},
        ),
        (
            "models/staging/query_log/stg_query_log.sql", "lower(", "upper(",
            {"query_perf", "query_texts", "rejected_records"},
        ),
        (
            "models/staging/telemetry/_telemetry__sources.yml", "bigint", "integer",
            {"optimization_summary", "rejected_records"},
        ),
        ("models/staging/telemetry/_telemetry__sources.yml", "Name of", "The", set()),
        ("models/marts/exports/query_perf.yml", "type: double", "type: real",
            {"query_perf"}),
        ("models/marts/exports/query_perf.yml", "Equal queries", "Such", set()),
        (
            "seeds/monitored_checks.csv", "Redis", "redis",
            {"ops_atomic", "rejected_records"},
        ),
        ("seeds/known_columns.csv", "required", "optional", {"schema_drift"}),
        (
            "ingest/sources/telemetry.py", "return", "return None or",
            {"optimization_summary", "rejected_records"},
        ),
        ("ingest/text/clean.py", "return", "return None or", EVERY - {"run_log"}),
        ("ingest/bundles.py", "return", "return None or", set()),
        ("macros/batches.sql", "snappy", "zstd", EVERY),
        (
            "macros/typing.sql", "9007199254740992", "9007199254740991",
            EVERY - {"advisor_reports"},
        ),
        ("macros/days_in_scope.sql", "false", "true", set()),
        ("seeds/masks.csv", "*", "+", EVERY - {"run_log"}),
    ],
)  # fmt: skip
def test_what_makes_days_stale(
    changed: str, old: str, new: str, stale: set[str], project: Path
) -> None:
    # It tells the sizes of other datasets' files.
    if stale & set(load_datasets()["landed_counts"].accounts_for):
        stale = stale | {"landed_counts"}
    assert made_stale(project, changed, lambda text: text.replace(old, new)) == stale


@pytest.mark.parametrize(
    ("changed", "note"),
    [
        ("models/intermediate/int_queries.sql", "-- it's so"),
        ("models/intermediate/int_queries.sql", "/* it's so */"),
        ("models/staging/query_rows/stg_query_rows.sql", "{# it's so #}"),
        ("macros/daily_parquet.sql", "{# it's so #}"),
        ("macros/typing.sql", "{# it's so #}"),
        ("ingest/text/json_text.py", "# it's so"),
    ],
)
def test_tidying_makes_no_day_stale(changed: str, note: str, project: Path) -> None:
    def tidy(text: str) -> str:
        """Notes and blank lines before each line that begins something."""
        begins = re.compile(r" *(select|from|def|return|\{%- (if|for|macro))\b")
        return "\n".join(
            f"\n\n{note}\n{line}" if begins.match(line) else line
            for line in text.split("\n")
        )

    assert made_stale(project, changed, tidy) == set()


def test_indenting_a_model_makes_no_day_stale(project: Path) -> None:
    path = "models/intermediate/int_index_advisor.sql"
    assert made_stale(project, path, lambda t: t.replace("\n    ", "\n\t  ")) == set()


def test_a_row_of_any_dataset_may_be_a_reject() -> None:
    """Another program may have written where any of them is published."""
    path = PROJECT / EXPORTS / "rejected_records.yml"
    [model] = yaml.safe_load(path.read_text(encoding="utf-8"))["models"]
    accepted = model["config"]["meta"]["accepted_values"]["dataset"]
    assert set(accepted) == load_datasets().keys()
