"""What a run asks of dbt, and what dbt notes for it."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from exporter.request import VARIABLE, Request
from exporter.staleness import Selection


@pytest.mark.parametrize(
    "selection",
    [
        Selection(),
        Selection(date(2025, 10, 27), None, ("query_perf",), True),
        Selection(None, date(2025, 10, 28)),
    ],
)
def test_a_request_arrives_as_it_was_sent(
    selection: Selection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, "")
    sent = Request(selection, tmp_path)
    sent.write()
    assert Request.from_environment() == sent
    assert not list(sent.records())
    Request.from_environment().record(path="a\nb", day=date(2025, 10, 27))
    sent.record(failed=[])
    assert list(sent.records()) == [
        {"path": "a\nb", "day": "2025-10-27"},
        {"failed": []},
    ]


def test_plain_dbt_asks_for_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    request = Request.from_environment()
    assert request == Request(Selection())
    request.record(nobody="listens")
    assert not list(request.records())
