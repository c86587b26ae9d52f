"""Work that is made from a very large input, or of a few days, is told from other."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from exporter.publish import work
from exporter.publish.ledger import Ledger
from exporter.publish.mart_work import MartWork
from exporter.publish.plan import Due, Target
from ingest.root import Root

DAY = date(2025, 1, 1)


def work_of(root: Root, day: date) -> work.Work:
    """What is to be made of a day."""
    ledger = Ledger(None)
    stale = [Target("query_perf", day, "query_perf.parquet", {}, "new")]
    return work.Work(root, ledger, {}, {}, stale, MartWork.none(root, {}))


def test_only_the_days_that_are_made_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(work, "HEAVY", 99)
    root = Root(tmp_path)
    part = root.landing / f"query_rows/day={DAY}/query_perf_daily_20250101.csv.gz"
    part.parent.mkdir(parents=True)
    part.write_bytes(b"x" * 99)
    assert not work_of(root, DAY).is_heavy
    part.write_bytes(b"x" * 100)
    assert work_of(root, DAY).is_heavy
    assert not work_of(root, date(2025, 1, 2)).is_heavy


def test_what_marts_read_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(work, "HEAVY", 99)
    its = work_of(Root(tmp_path), DAY)
    its.marts.weight = 99
    assert not its.is_heavy
    its.marts.weight = 100
    assert its.is_heavy


def test_a_few_days_are_little(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work, "FEW_DAYS", 1)
    its = work_of(Root(tmp_path), DAY)
    its.stale *= 2
    assert its.is_small, "two files of one day"
    its.marts.stale = [Due("check_states", date(2025, 1, 2), "a.parquet", {}, "new")]
    assert not its.is_small
