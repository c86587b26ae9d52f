"""What was published, as the ledger keeps it beside what was landed."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from exporter.publish.ledger import Ledger, PublishedFile
from ingest.store.ledger import SeenInput

FILE = PublishedFile(1, 2, 3, 4, {"a": "b"}, "shape")


def filled(path: Path) -> Ledger:
    ledger = Ledger(path)
    ledger.put_input("g/x", SeenInput("s", 1, 2))
    ledger.put_published("p.parquet", FILE)
    ledger.put_findings("rejects", ["2025-10-27"], [("2025-10-27", "d", "r", 2)])
    ledger.put_findings("drift", [], [("2025-10-27", "s", "added", "n", 1, "f.csv")])
    ledger.commit()
    return ledger


def test_what_is_put_is_found_again(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    filled(path).close()
    ledger = Ledger(path)
    assert not ledger.is_new
    assert list(ledger.inputs()) == ["g/x"]
    assert ledger.published() == {"p.parquet": FILE}
    assert ledger.rejects() == [("2025-10-27", "d", "r", 2)]
    assert ledger.drift() == [("2025-10-27", "s", "added", "n", 1, "f.csv")]
    ledger.forget_published(["p.parquet"])
    ledger.put_findings("rejects", ["2025-10-27"], [])
    assert not ledger.published()
    assert not ledger.rejects()


@pytest.mark.parametrize(
    "change",
    [
        "update published set checksum = 4",
        "update rejects set records = 3",
        "update drift set name = 'm'",
        "drop table drift",
    ],
)
def test_a_changed_cell_makes_it_anew(tmp_path: Path, change: str) -> None:
    path = tmp_path / "ledger.sqlite"
    filled(path).close()
    with sqlite3.connect(path) as db:
        db.execute(change)
    db.close()
    assert Ledger.copy_in_memory(path).was_damaged
    ledger = Ledger(path)
    assert ledger.was_damaged
    assert not ledger.inputs()
    assert not ledger.published()
