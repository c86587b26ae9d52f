"""Reports known by their file's name: none shrinks, and each content is kept."""

from __future__ import annotations

import itertools
import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from ingest.root import Root
from ingest.run import land
from ingest.store.ledger import Ledger
from ingest.store.part_files import parse_records
from tests import faults
from tests.faults import write

NOW = datetime(2025, 12, 10, 12)
NAME = "health_20251208.json"
REPORT = f"g/reports/health/{NAME}"
AT = 1765160000


def checks(count: int, status: str = "pass", at: str = "2025-12-08T08:00:05Z") -> str:
    entries = [{"name": f"n{n}", "status": status} for n in range(count)]
    return json.dumps({"timestamp": at, "checks": entries})


class Landed:
    def __init__(self, path: Path) -> None:
        self.root, self.ledger = Root(path), Ledger(None)

    def read(self, text: str, mtime: int, **how: Any) -> str:
        write(self.root.path / REPORT, text, mtime)
        return self.again(**how)

    def bundled(self, text: str, mtime: int) -> str:
        (self.root.path / REPORT).unlink(missing_ok=True)
        number = len(list(self.root.path.glob("g/reports/archive/*")))
        name = f"g/reports/archive/reports_20251209_{number:06}.tar.gz"
        member = faults.member(REPORT, mtime=mtime)
        faults.make_bundle(self.root.path / name, [(member, text.encode())])
        return self.again()

    def again(self, **how: Any) -> str:
        report = land(self.root, self.ledger, **{"now": NOW, **how})
        assert not report.errors
        return "\n".join(report.warnings)

    @property
    def days(self) -> dict[str, int]:
        parts = self.ledger.parts("reports")
        return {p.day: p.counts["report_checks"] for p in parts if p.keys}

    @property
    def kept(self) -> int:
        return len(list(self.root.landing.glob("superseded/reports/*/*.gz")))

    def statuses(self) -> set[str]:
        return {
            check["status_text"]
            for path in self.root.landing.glob("reports/*/*.gz")
            for record in parse_records(path.read_bytes())
            for check in record["checks"]
        }


@pytest.fixture
def landed(tmp_path: Path) -> Landed:
    return Landed(tmp_path)


def always(_dataset: str, _day: str) -> bool:
    return True


def test_the_newest_of_as_many_checks_counts(landed: Landed) -> None:
    assert landed.read(checks(3), AT) == ""
    assert landed.read(checks(3, "fail"), AT + 60) == ""
    assert (landed.days, landed.statuses(), landed.kept) == (
        {"2025-12-08": 3}, {"fail"}, 1
    )  # fmt: skip
    assert landed.bundled(checks(3), AT) == ""
    assert landed.statuses() == {"fail"}


def test_one_that_holds_less_does_not_count_unless_forced(landed: Landed) -> None:
    landed.read(checks(3), AT)
    for _ in range(2):
        assert "what holds 3 checks is kept" in landed.read(checks(2, "fail"), AT + 60)
        assert landed.days == {"2025-12-08": 3}
    landed.again(forces=always)
    assert landed.days == {"2025-12-08": 2}
    landed.again(historical=True)
    assert (landed.days, landed.statuses()) == ({"2025-12-08": 2}, {"fail"})
    landed.bundled(checks(3), AT)
    assert landed.days == {"2025-12-08": 2}, "nothing older counts again"


def test_a_half_report_makes_way_for_the_whole_one(landed: Landed) -> None:
    whole = checks(4)
    landed.read(whole[:80], AT)
    assert landed.days == {"2025-12-08": 1}, "a reject"
    landed.read(whole, AT + 1)
    assert (landed.days, landed.kept) == ({"2025-12-08": 4}, 0)
    landed.read(whole[:80], AT + 2)
    assert (landed.days, landed.kept) == ({"2025-12-08": 4}, 0)


def test_a_report_that_changes_its_day_stands_once(landed: Landed) -> None:
    landed.read(checks(3), AT)
    landed.read(checks(4, at="2025-12-09T01:00:00+02:00"), AT + 60)
    assert landed.days == {"2025-12-08": 4}
    landed.read(checks(5, at="2025-12-09T01:00:00Z"), AT + 120)
    assert landed.days == {"2025-12-09": 5}


def test_reading_it_again_adds_nothing(landed: Landed) -> None:
    landed.read(checks(3), AT)
    landed.bundled(checks(3), AT)
    landed.again(historical=True)
    assert (landed.days, landed.kept) == ({"2025-12-08": 3}, 0)


def test_the_order_of_reading_is_no_matter(tmp_path: Path) -> None:
    contents = [
        (checks(3), AT),
        (checks(3, "fail"), AT + 60),
        (checks(3)[:80], AT + 90),
    ]
    found = set()
    for number, order in enumerate(itertools.permutations(contents)):
        landed = Landed(tmp_path / str(number))
        for text, mtime in order:
            landed.bundled(text, mtime)
        part = next(landed.root.landing.glob("reports/*/*.gz"))
        found.add(json.dumps(parse_records(part.read_bytes())))
    assert len(found) == 1


def test_one_dated_ahead_is_judged_again(landed: Landed) -> None:
    landed.read(checks(3, at="2025-12-20T00:00:00Z"), AT)
    assert landed.days == {"2025-12-20": 1}
    landed.again(now=datetime(2025, 12, 20))
    assert landed.days == {"2025-12-20": 3}


def test_an_empty_file_is_said(landed: Landed) -> None:
    assert "is empty" in landed.read("\n", AT)
    assert landed.days == {}
