"""What is done to dbt's queries when a run is to stop."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import duckdb
import pytest

from exporter.publish.dbt_import import import_dbt
from exporter.publish.dbt_run import _interrupt_queries


class Connection:
    """One of dbt's, which opens itself where somebody asks for its handle."""

    def __init__(self, state: str, raises: bool = False) -> None:
        self.state = state
        self.raises = raises
        self.interrupted = 0

    @property
    def handle(self) -> Any:
        self.state = "open"
        return SimpleNamespace(cursor=lambda: self)

    def interrupt(self) -> None:
        self.interrupted += 1
        if self.raises:
            raise duckdb.ConnectionException("Connection already closed")


def test_all_open_connections_are_interrupted_and_no_other_is_opened(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import_dbt()
    from dbt.adapters.factory import FACTORY

    connections = {
        1: Connection("open", raises=True),
        2: Connection("init"),
        3: Connection("closed"),
        4: Connection("open"),
    }
    adapter = SimpleNamespace(
        connections=SimpleNamespace(thread_connections=connections)
    )
    monkeypatch.setattr(FACTORY, "adapters", {"duckdb": adapter})
    _interrupt_queries()
    assert [each.state for each in connections.values()] == [
        "open", "init", "closed", "open"
    ]  # fmt: skip
    assert [each.interrupted for each in connections.values()] == [1, 0, 0, 1]


def test_before_dbt_has_a_database_there_is_nothing_to_interrupt(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import_dbt()
    from dbt.adapters.factory import FACTORY

    monkeypatch.setattr(FACTORY, "adapters", {})
    _interrupt_queries()
