"""The marts' text is one that DuckDB and Spark both run; the rest is in macros."""

from __future__ import annotations

import re

import pytest

from exporter.contracts.rendering import Renderer
from tests.marts import MARTS
from tests.models import model_texts

# What Spark does not know, or takes for something else.
DUCKDB_ALONE = re.compile(
    r"\b(date_diff|to_seconds|to_days|generate_series|unnest|quantile_cont|"
    r"list_(?:filter|transform|sort|contains|position)|epoch|exclude|qualify|"
    r"positional|asof)\b"
    r"|::|\border by [^()]*\) as\b|,\s*from\b|ignore nulls\)"
)


@pytest.mark.parametrize("name", MARTS)
def test_spark_is_told_nothing_that_only_duckdb_knows(name: str) -> None:
    sql = Renderer(engine="spark").sql(model_texts()[name])
    # Of windows the order is Spark's, too.
    sql = re.sub(r"over \(.*?\)", "", sql, flags=re.DOTALL)
    found = DUCKDB_ALONE.search(sql)
    assert not found, f"{found and found[0]!r} in {name}"


@pytest.mark.parametrize("name", MARTS)
def test_a_model_itself_says_nothing_in_one_dialect(name: str) -> None:
    text = model_texts()[name]
    assert not re.search(r"::|\b(date_diff|datediff|interval|unnest|explode)\b", text)
    assert not re.search(r"\b(source|run_query|target)\b\s*[.(]", text)
