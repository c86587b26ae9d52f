"""Which days are stale, and which are kept though the landing holds fewer."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from exporter.datasets import Dataset
from exporter.staleness import Plan, Selection, plan_days
from ingest.ledger import Ledger, Part, PublishedFile
from ingest.root import Root

DAY = date(2025, 10, 27)
DATASET = Dataset(
    "d", "", "g/d/d_{yyyymmdd}.parquet", 1, (), ("s",), "model"
)  # fmt: skip
PATH = "g/d/d_20251027.parquet"


def part(records: int, fingerprint: str = "f", dropped: int = 0) -> Part:
    return Part(
        "s", str(DAY), "p", 1, 1, 1, fingerprint, "", {"d": records}, 1, dropped
    )  # fmt: skip


class Store:
    """A root with one dataset, planned without any real Parquet."""

    def __init__(self, path: Path) -> None:
        self.root = Root(path)
        self.ledger = Ledger(None)

    def plan(self, **selection: Any) -> Plan:
        return plan_days(
            self.root, self.ledger, {"d": DATASET}, Selection(**selection)
        )  # fmt: skip

    def publish(self, path: str = PATH, **changed: str) -> None:
        """A file that looks as the ledger says it was left."""
        target = self.root.path / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(b"left as it was")
        look = target.stat()
        metadata = {"landed_records": "5", **changed}
        if not changed:
            [wanted] = self.plan(force=True).stale
            metadata = wanted.metadata
        self.ledger.put_published(
            path, PublishedFile(look.st_size, look.st_mtime_ns, 0, 5, metadata, "")
        )


@pytest.fixture
def store(tmp_path: Path) -> Store:
    made = Store(tmp_path)
    made.ledger.put_part(part(5))
    return made


def test_a_day_without_its_file_is_stale(store: Store) -> None:
    [target] = store.plan().stale
    assert (target.path, target.reason, target.landed_records) == (PATH, "missing", 5)
    assert not store.plan(since=date(2025, 10, 28)).stale
    assert not store.plan(until=date(2025, 10, 26)).stale
    assert store.plan(since=DAY, until=DAY).stale


def test_a_day_with_its_file_is_not(store: Store) -> None:
    store.publish()
    assert store.plan().current == [("d", DAY, PATH)]
    assert [t.reason for t in store.plan(force=True).stale] == ["forced"]


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        ("schema_version", "schema changed"),
        ("source_fingerprint", "landed content changed"),
        ("model_fingerprint", "code changed"),
    ],
)
def test_why_a_day_is_stale(store: Store, key: str, reason: str) -> None:
    [wanted] = store.plan().stale
    store.publish(**{**wanted.metadata, key: "another"})
    assert [target.reason for target in store.plan().stale] == [reason]


def test_fewer_landed_records_are_kept_back(store: Store) -> None:
    store.publish()
    store.ledger.put_part(part(3, "g"))
    plan = store.plan()
    assert plan.shrunken == [(PATH, 5, 3)]
    assert not plan.stale
    assert not plan.damaged
    assert [t.landed_records for t in store.plan(force=True).stale] == [3]


def test_records_that_left_for_good_reason_are_no_loss(store: Store) -> None:
    store.publish()
    store.ledger.put_part(part(3, "g", dropped=2))
    assert [target.landed_records for target in store.plan().stale] == [3]
    store.ledger.put_part(part(3, "g", dropped=1))
    assert store.plan().shrunken


def test_a_damaged_file_is_made_again(store: Store) -> None:
    store.publish()
    (store.root.path / PATH).write_bytes(b"junk")
    plan = store.plan()
    assert [target.reason for target in plan.stale] == ["damaged"]
    assert not plan.damaged, "the landing holds all that stood in it"


def test_a_damaged_file_of_more_records_is_set_aside(store: Store) -> None:
    store.publish()
    store.ledger.put_part(part(3, "g"))
    (store.root.path / PATH).write_bytes(b"junk")
    plan = store.plan()
    assert plan.damaged == [PATH]
    assert plan.shrunken
    assert [target.reason for target in plan.stale] == ["damaged"]


def test_a_damaged_file_nobody_knows_is_set_aside(store: Store) -> None:
    store.publish()
    store.ledger.forget_published([PATH])
    plan = store.plan()
    assert plan.damaged == [PATH]
    assert [target.reason for target in plan.stale] == ["damaged"]


def test_files_of_days_that_are_not_landed(store: Store) -> None:
    ours, junk, foreign = (f"g/d/d_2024010{n}.parquet" for n in (1, 2, 3))
    store.publish(ours, source_fingerprint="x", model_fingerprint="older")
    store.publish(foreign, made_by="another tool")
    (store.root.path / junk).write_bytes(b"junk")
    (store.root.path / "g/d/d_20249999.parquet").write_bytes(b"not a day")
    (store.root.path / "g/d/other.parquet").write_bytes(b"not ours")
    plan = store.plan()
    assert plan.outdated == [ours]
    assert plan.damaged == [junk, foreign]
