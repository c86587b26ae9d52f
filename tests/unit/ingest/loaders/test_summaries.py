"""Summaries: one version per content and night, in whatever order they are read."""

from __future__ import annotations

import tempfile
from calendar import timegm
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.root import Root
from ingest.run import land
from ingest.sources import optimization_summary
from ingest.store.landing import Landing
from ingest.store.ledger import Ledger
from tests import faults
from tests.faults import write

NOW = datetime(2025, 11, 9, 12)
UNDATED = "knowledge/optimize/optimization_summary.txt"
PART = "optimization_summary.ndjson.gz"


def dated(day: str) -> str:
    return f"g/reports/optimization_summary_{day.replace('-', '')}.txt"


def at(day: str, hour: int = 3) -> int:
    return timegm((*map(int, day.split("-")), hour, 0, 0))


def hit_rate(value: int) -> str:
    return (
        f"Hit rate: {value} %\n[2025-11-01T01:00:00Z] run took={value}\n"
        f'{{"event_type":"e","odd":{value}}}\n'
    )


class Landed:
    """A root that is landed into again and again."""

    def __init__(self, path: Path) -> None:
        self.root, self.ledger = Root(path), Ledger(None)

    def live(self, name: str, text: str, mtime: int) -> None:
        write(self.root.path / name, text, mtime)
        self.again()

    def bundled(self, readings: list[tuple[str, str, int]]) -> None:
        for path in self.root.path.rglob("*.txt"):
            path.unlink()
        members = []
        for name, text, mtime in readings:
            members.append((faults.member(name, mtime=mtime), text.encode()))
        number = len(list(self.root.path.glob("g/reports/archive/*")))
        name = f"g/reports/archive/reports_20251108_{number:06}.tar.gz"
        faults.make_bundle(self.root.path / name, members)
        self.again()

    def again(self, **how: Any) -> None:
        report = land(self.root, self.ledger, **{"now": NOW, **how})
        assert not report.errors + report.warnings

    @property
    def nights(self) -> list[tuple[str, str]]:
        """(day, text) of the first line of every version."""
        landing = Landing(self.root, self.ledger)
        return sorted(
            (part.day, record["raw"])
            for part in self.ledger.parts("optimization_summary")
            for record in landing.records("optimization_summary", part.day, PART)
            if record["line_number"] == 1
        )

    @property
    def state(self) -> dict[tuple[str, str], Any]:
        landing = Landing(self.root, self.ledger)
        found = {}
        for part in self.ledger.parts():
            records = landing.records(part.source, part.day, part.part)
            if records:
                found[part.source, part.day] = records, part.fingerprint
        return found


def test_a_content_that_comes_again_is_another_night(tmp_path: Path) -> None:
    landed = Landed(tmp_path)
    readings = [
        (UNDATED, hit_rate(value), at(f"2025-11-0{day}"))
        for day, value in ((1, 97), (2, 96), (3, 97))
    ]
    for reading in readings:
        landed.live(*reading)
    nights = [
        (f"2025-11-0{day}", f"Hit rate: {value} %")
        for day, value in ((1, 97), (2, 96), (3, 97))
    ]
    assert landed.nights == nights
    before = landed.state
    landed.bundled(readings[::-1])
    landed.again(historical=True)
    assert landed.state == before


def test_the_dated_copy_counts_whichever_is_read_first(tmp_path: Path) -> None:
    copies = [
        (UNDATED, hit_rate(97), at("2025-11-02", 0)),
        (dated("2025-11-01"), hit_rate(97), at("2025-11-01", 23)),
    ]
    states = []
    for number, order in enumerate((copies, copies[::-1])):
        for how in ("live", "bundled", "bundles"):
            landed = Landed(tmp_path / f"{how}{number}")
            if how == "bundled":
                landed.bundled(order)
            for reading in order:
                if how == "live":
                    landed.live(*reading)
                elif how == "bundles":
                    landed.bundled([reading])
            assert landed.nights == [("2025-11-01", "Hit rate: 97 %")]
            landed.again(historical=True)
            states.append(landed.state)
    assert all(state == states[0] for state in states)


def test_a_time_in_the_future_says_no_new_night(tmp_path: Path) -> None:
    landed = Landed(tmp_path)
    landed.live(UNDATED, hit_rate(97), at("2026-05-01"))
    before = landed.state
    assert landed.nights[0][0] == "2025-11-09"
    landed.again(now=NOW.replace(day=10), historical=True)
    assert landed.state == before


READINGS = st.lists(
    st.tuples(
        st.sampled_from(
            [UNDATED, "g/reports/optimization_summary_b.txt"]
            + [dated(f"2025-11-0{day}") for day in (1, 2, 4)]
        ),
        st.sampled_from([hit_rate(97), hit_rate(100)]),
        st.builds(at, st.sampled_from([f"2025-11-0{n}" for n in range(1, 5)])),
    ),
    min_size=2,
    max_size=6,
)


@settings(max_examples=40)
@given(READINGS, st.randoms(use_true_random=False), st.integers(0, 6))
def test_reading_order_is_no_matter(
    readings: list[tuple[str, str, int]], random: Any, cut: int
) -> None:
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as two:
        at_once, in_turn = Landed(Path(one)), Landed(Path(two))
        at_once.bundled(readings)
        before = at_once.state
        random.shuffle(readings)
        for reading in readings[:cut]:
            in_turn.live(*reading)
        in_turn.bundled(readings[cut:])
        assert in_turn.state == before
        for landed in (at_once, in_turn):
            landed.again(historical=True)
            assert landed.state == before, "nor is reading again"


def test_a_runaway_summary_is_landed_in_blocks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(optimization_summary, "MOST_RECORDS", 5)
    monkeypatch.setattr(optimization_summary, "BLOCK", 40)
    made = Landed(tmp_path)
    lines = [f"Rows {n}: {n} rows" for n in range(20)]
    made.live(UNDATED, "\n".join(lines), at("2025-11-01"))
    records = Landing(made.root, made.ledger).records(
        "optimization_summary", "2025-11-01", PART
    )
    told, beyond = records[:5], records[5:]
    assert [r["raw"] for r in told] == lines[:5]
    assert "\n".join(r["raw"] for r in beyond) == "\n".join(lines[5:])
    assert 1 < len(beyond) < 10
    assert {r["problem"] for r in beyond} == {"summary is too long"}
    assert beyond[0]["line_number"] == 6
