"""Each query of docs/example_queries.sql says what it answers, and answers it."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest
from click.testing import Result

from ingest.root import PROJECT

# A one-line comment, then a statement up to its semicolon.
QUESTION = re.compile(r"^-- (.+)\n((?!--)[^;]+);$", re.MULTILINE)


def test_each_query_answers_on_an_exported_root(
    example_root: Path, cli: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (PROJECT / "docs" / "example_queries.sql").read_text(encoding="utf-8")
    questions = QUESTION.findall(text)
    assert len(questions) == text.count(";") >= 10

    assert cli("export", example_root, "--quiet").exit_code == 0
    monkeypatch.chdir(example_root)
    with duckdb.connect() as connection:
        empty = [
            question
            for question, query in questions
            if not connection.execute(query).fetchall()
        ]
    assert empty == []
