"""What a run asks of dbt, and what dbt notes for it."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from exporter.publish.ledger import PublishedFile
from exporter.publish.plan import Target
from exporter.publish.request import VARIABLE, Request

DAY = date(2025, 10, 27)


def test_a_request_arrives_as_it_was_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, "")
    file = PublishedFile(1, 2, 3, 4, {"source_fingerprint": "x"}, "shape")
    sent = Request(
        tmp_path,
        [
            Target(
                "query_perf",
                DAY,
                "a.parquet",
                {"landed_records": "1"},
                "missing",
                ("b",),
            )
        ],
        [("query_rows", "2025-10-27", "a.csv.gz")],
        [("ops_atomic", DAY, "b.parquet", file)],
    )
    sent.write()
    arrived = Request.from_environment()
    assert arrived == sent
    assert not list(sent.records())
    arrived.record(path="a\nb", day=DAY)
    sent.record(failed=[])
    assert list(sent.records()) == [
        {"path": "a\nb", "day": "2025-10-27"},
        {"failed": []},
    ]


def test_plain_dbt_asks_for_nothing_in_particular(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    assert Request.from_environment() is None
