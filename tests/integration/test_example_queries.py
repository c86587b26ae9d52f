"""Each query of docs/example_queries.sql says what it answers, and answers it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest
from click.testing import Result

from ingest.root import PROJECT
from tests import faults

# A one-line comment, then a statement up to its semicolon.
QUESTION = re.compile(r"^-- (.+)\n((?!--)[^;]+);$", re.MULTILINE)


TEXT = (PROJECT / "docs" / "example_queries.sql").read_text(encoding="utf-8")


def test_each_query_answers_on_an_exported_root(
    example_root: Path, cli: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    questions = QUESTION.findall(TEXT)
    assert len(questions) == TEXT.count(";") >= 10

    assert cli("export", example_root, "--quiet").exit_code == 0
    monkeypatch.chdir(example_root)
    with duckdb.connect() as connection:
        empty = [
            question
            for question, query in questions
            if not connection.execute(query).fetchall()
        ]
    assert empty == []


def test_advice_that_the_last_report_no_longer_has_is_not_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    report = tmp_path / "g/reports/index_advisor_report.json"
    (query,) = [
        query
        for question, query in QUESTION.findall(TEXT)
        if question.startswith("Index advice that is still open")
    ]
    monkeypatch.chdir(tmp_path)
    for day, advice, still_open in (
        (27, [{"table": "t"}, {"table": "u"}], ["t", "u"]),
        (28, [{"table": "u"}], ["u"]),
        (29, [], []),
    ):
        at = f"2025-10-{day}T04:00:00Z"
        text = json.dumps({"timestamp": at, "recommendations": advice})
        faults.write(report, text)
        faults.export(tmp_path)
        with duckdb.connect() as db:
            rows = db.execute(f"select table_name from ({query})").fetchall()
        assert sorted(name for (name,) in rows) == still_open
    assert sorted(faults.rows(tmp_path, faults.REPORTS, "recommendations")) == [
        (0,), (1,), (2,),
    ]  # fmt: skip
