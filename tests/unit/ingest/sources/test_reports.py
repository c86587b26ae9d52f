"""Advisor reports: none shrinks unless it is forced, and one day is one day."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from ingest.root import Root
from ingest.run import land
from ingest.store.landing import Landing
from ingest.store.ledger import Ledger
from tests import faults
from tests.faults import write

NOW = datetime(2025, 11, 2, 12)
REPORT = "g/reports/index_advisor_report.json"
AT = 1761000000


def advice(count: int, stamp: str | None = "2025-10-20T01:00:00Z") -> str:
    made = {"recommendations": [{"table": f"t{n}"} for n in range(count)]}
    return json.dumps({"timestamp": stamp, **made} if stamp else made)


class Landed:
    def __init__(self, path: Path) -> None:
        self.root, self.ledger = Root(path), Ledger(None)

    def read(self, text: str, mtime: int, **how: Any) -> str:
        write(self.root.path / REPORT, text, mtime)
        return self.again(**how)

    def bundled(self, text: str, mtime: int) -> str:
        (self.root.path / REPORT).unlink(missing_ok=True)
        number = len(list(self.root.path.glob("g/reports/archive/*")))
        name = f"g/reports/archive/reports_20251101_{number:06}.tar.gz"
        member = faults.member(REPORT, mtime=mtime)
        faults.make_bundle(self.root.path / name, [(member, text.encode())])
        return self.again()

    def again(self, **how: Any) -> str:
        report = land(self.root, self.ledger, **{"now": NOW, **how})
        assert not report.errors
        return "\n".join(report.warnings)

    @property
    def counts(self) -> list[int]:
        parts = self.ledger.parts("index_advisor")
        return [part.counts["index_advisor"] for part in parts]


@pytest.fixture
def landed(tmp_path: Path) -> Landed:
    return Landed(tmp_path)


def always(_dataset: str, _day: str) -> bool:
    return True


def test_fewer_recommendations_are_kept_out_and_said(landed: Landed) -> None:
    landed.read(advice(5), AT)
    said = landed.read(advice(2), AT + 1)
    assert f"{REPORT}: what holds 5 recommendations is kept" in said
    assert " export --force --date 2025-10-20 --root " in said
    assert landed.counts == [5]
    assert "is kept" in landed.again(), "as long as it lies there"
    assert not landed.read(advice(6), AT + 2)
    assert landed.counts == [6]
    assert not landed.again()


@pytest.mark.parametrize("where", ["live", "bundled"])
def test_what_was_forced_stays(where: str, landed: Landed) -> None:
    landed.read(advice(5), AT)
    landed.read(advice(2), AT + 1)
    if where == "bundled":
        landed.bundled(advice(2), AT + 1)
    assert not landed.again(forces=always)
    assert landed.counts == [2]
    landed.bundled(advice(5), AT)
    landed.again(historical=True)
    landed.ledger = Ledger(None)
    landed.again()
    assert landed.counts == [2]
    assert not landed.read(advice(3), AT + 2)
    assert landed.counts == [3]
    landed.again(historical=True)
    assert landed.counts == [3]


def test_a_time_in_the_future_says_no_new_day(landed: Landed) -> None:
    landed.read(advice(5, None), AT + 10**9)
    landed.again(now=NOW.replace(day=5), historical=True)
    assert landed.counts == [5]


def test_half_of_a_report_in_one_bundle_with_it(landed: Landed) -> None:
    whole = advice(5)
    members = [
        (faults.member(REPORT, mtime=AT), text.encode())
        for text in (whole[:-9], whole, whole[:-3])
    ]
    name = "g/reports/archive/reports_20251101_000000.tar.gz"
    faults.make_bundle(landed.root.path / name, members)
    landed.again()
    assert sum(landed.counts) == 5


CLASSIC = "knowledge/optimize/index_advisor_report.json"


def source_files(root: Path, how: str, form: dict[str, Any]) -> tuple[list[str], str]:
    """What the landing says of a report of each folder, and its fingerprint."""
    texts = {
        REPORT: json.dumps({"timestamp": "2025-10-20T01:00:00Z", **form}),
        CLASSIC: advice(1, "2025-10-20T02:00:00Z"),
    }
    if how == "live":
        for path, text in texts.items():
            write(root / path, text, AT)
    else:
        before = {"absolute": "/Users/icmini/02luka/", "relative": "./"}.get(how)
        faults.make_bundle(
            root / "g/reports/archive/reports_20251101_000000.tar.gz",
            [
                (
                    faults.member(
                        path.rpartition("/")[2] if before is None else before + path,
                        mtime=AT,
                    ),
                    text.encode(),
                )
                for path, text in texts.items()
            ],
        )
    ledger = Ledger(None)
    land(Root(root), ledger, now=NOW)
    (part,) = ledger.parts("index_advisor")
    landing = Landing(Root(root), ledger)
    records = landing.records("index_advisor", part.day, part.part)
    return [record["source_file"] for record in records], part.fingerprint


@pytest.mark.parametrize("how", ["absolute", "relative", "without folders"])
def test_a_report_tells_its_folder_live_and_from_a_bundle(
    how: str, tmp_path: Path
) -> None:
    listing: dict[str, Any] = {"slow_queries": []}
    live = source_files(tmp_path / "live", "live", listing)
    assert live[0] == [REPORT, CLASSIC]
    assert source_files(tmp_path / "bundled", how, listing) == live


def test_the_folder_counts_and_not_the_form(tmp_path: Path) -> None:
    live = source_files(tmp_path / "live", "live", {})
    assert live[0] == [REPORT, CLASSIC]
    assert source_files(tmp_path / "bundled", "absolute", {}) == live


@pytest.mark.parametrize("paths", [(REPORT, CLASSIC), (CLASSIC, REPORT)])
def test_one_report_in_both_folders_is_of_the_same_in_any_order(
    paths: tuple[str, str], tmp_path: Path
) -> None:
    ledger = Ledger(None)
    for path in paths:
        write(tmp_path / path, advice(1), AT)
        land(Root(tmp_path), ledger, now=NOW)
    (part,) = ledger.parts("index_advisor")
    landing = Landing(Root(tmp_path), ledger)
    (record,) = landing.records("index_advisor", part.day, part.part)
    assert record["source_file"] == REPORT
