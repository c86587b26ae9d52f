"""Metrics, pages, reports and notices of one run ask the marts once."""

from __future__ import annotations

from pathlib import Path
from unittest import mock

import pytest

from exporter.answers.ask import Answers
from exporter.export.finish import conclude
from exporter.metrics.textfile import metrics_path
from exporter.notify import outbox
from exporter.reporting.results import FileResult, RunResult
from exporter.reporting.screen import Screen
from ingest.root import Root
from tests.pages import AS_OF, fill


def test_what_is_asked_of_the_marts_is_asked_once(
    empty_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(empty_root, days=2)
    monkeypatch.setenv("OPS_ATOMIC_NOTIFY", "json://127.0.0.1:1")
    monkeypatch.setenv("OPS_ATOMIC_REPORT", "run")
    monkeypatch.setenv("OPS_ATOMIC_AS_OF", AS_OF.isoformat())
    root = Root(empty_root)
    exported = FileResult("ops_atomic", "2025-10-28", "f.parquet", "exported")
    result = RunResult(started=AS_OF, is_whole=True, files=[exported])
    ask = mock.patch.object(Answers, "_ask", autospec=True, side_effect=Answers._ask)
    with ask as asks:
        assert conclude(root, result, Screen(quiet=True)) is None
    asked = [call.args[1] for call in asks.call_args_list]
    assert len(asked) == len(set(asked)) > 10
    assert result.errors == []
    assert metrics_path(root).exists()
    assert (root.reports / "dashboard" / "index.html").exists()
    told = [notice.text for _, notice in outbox.waiting(root)]
    assert len(told) == 2, "a report, and a notice"
