"""Rows of another program: each is landed once, of a heartbeat on one day."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from ingest.loaders.context import LandingReport
from ingest.loaders.legacy import LegacyFile, NotReadable
from ingest.root import Root
from ingest.run import land
from ingest.sources.legacy_parquet import Row
from ingest.store.landing import Landing
from ingest.store.ledger import Ledger
from tests.faults import heartbeat, write

NOW = datetime(2025, 11, 9, 12)
DAY = date(2025, 10, 28)
PATH = "g/analytics/ops_atomic_20251028.parquet"
NAME = "heartbeat_2025-10-28_01-00-00.md"


class Landed:
    """A root that is landed into again and again."""

    def __init__(self, path: Path) -> None:
        self.root, self.ledger = Root(path), Ledger(None)

    def adopt(
        self, *rows: Row, path: str = PATH, read: Callable[..., Any] | None = None
    ) -> LandingReport:
        """Adopt a file of these rows, in batches of two."""
        if not (self.root.path / path).exists():
            write(self.root.path / path, json.dumps(rows))
        batches = [[*rows[at : at + 2]] for at in range(0, len(rows), 2)]
        file = LegacyFile(path, "ops_atomic", DAY, read or (lambda: iter(batches)))
        return land(self.root, self.ledger, now=NOW, legacy=[file])

    def rows(self) -> list[tuple[str, str | None, int]]:
        """(day, filename, line number)."""
        landing = Landing(self.root, self.ledger)
        return [
            (record["day"], record["filename"], record["line_number"])
            for part in self.ledger.parts("legacy_parquet")
            for record in landing.records(part.source, part.day, part.part)
        ]


@pytest.fixture
def landed(tmp_path: Path) -> Landed:
    return Landed(tmp_path)


def row(
    filename: str = NAME, timestamp: str = "2025-10-28 01:00:00", **more: str
) -> Row:
    return {"filename": filename, "timestamp": timestamp, "status": "ok", **more}


def test_equal_rows_of_one_file_are_landed_each(landed: Landed) -> None:
    landed.adopt(row(), row(), row())
    assert landed.rows() == [("2025-10-28", NAME, number) for number in (1, 2, 3)]
    assert not (landed.root.path / PATH).exists()


def test_the_same_content_adds_nothing_when_it_is_read_again(landed: Landed) -> None:
    landed.adopt(row(), row("x.md"))
    before = landed.rows()
    assert landed.adopt(row(), row("x.md"), path=f"{PATH}.legacy").records == 0
    assert landed.rows() == before
    assert landed.adopt(row(), row("x.md"), row("y.md")).records == 3


def test_a_heartbeat_stays_on_its_day_whatever_a_later_file_says(
    landed: Landed,
) -> None:
    write(landed.root.path / "g/reports" / NAME, heartbeat("2025-10-28T01:00:00Z"))
    landed.adopt(row("x.md"), row("y\n.md"))
    later = "2025-10-30 01:00:00"
    names = ("x.md", "y\n.md", NAME, "z")
    landed.adopt(*(row(name, later) for name in names))
    days = {(name, day) for day, name, _ in landed.rows()}
    assert days == {
        ("x.md", "2025-10-28"),
        ("y\n.md", "2025-10-28"),
        (NAME, "2025-10-28"),
        ("z", "2025-10-30"),
    }


def test_a_file_that_changes_while_it_is_read_stays_where_it_is(landed: Landed) -> None:
    def grows() -> Iterator[list[Row]]:
        yield [row()]
        write(landed.root.path / PATH, "more", 1)

    report = landed.adopt(row(), read=grows)
    assert report.warnings == [f"{PATH}: is being written; the next run reads it again"]
    assert (landed.root.path / PATH).read_bytes() == b"more"
    assert landed.ledger.input(f"{PATH}.legacy") is None


def test_a_file_that_breaks_off_keeps_what_was_read(landed: Landed) -> None:
    def breaks() -> Iterator[list[Row]]:
        yield [row()]
        raise NotReadable

    report = landed.adopt(row(), read=breaks)
    assert report.warnings == [f"{PATH}: not readable as Parquet; left as it is"]
    assert (landed.root.path / PATH).exists()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may do everything")
def test_a_folder_that_may_not_be_written_is_told(landed: Landed) -> None:
    folder = write(landed.root.path / PATH, "x").parent
    (folder / "state").mkdir()
    folder.chmod(0o500)
    try:
        report = landed.adopt(row())
    finally:
        folder.chmod(0o700)
    assert f"{PATH}: cannot be adopted (Permission denied)" in report.errors[0]
    assert len(landed.rows()) == 1


def test_a_row_too_far_ahead_is_judged_again(landed: Landed) -> None:
    landed.adopt(row("ahead.md", "2025-11-20 00:00:00"))
    [part] = landed.ledger.parts("legacy_parquet")

    def problem() -> str | None:
        landing = Landing(landed.root, landed.ledger)
        [record] = landing.records(part.source, part.day, part.part)
        found: str | None = record["problem"]
        return found

    assert problem() == "dated more than a day ahead"
    land(landed.root, landed.ledger, now=datetime(2025, 11, 21))
    assert problem() is None
