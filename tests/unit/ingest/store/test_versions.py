"""Which of the contents of a dated file counts, in whatever order they are read."""

from __future__ import annotations

import gzip
import re
import tempfile
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.root import Root
from ingest.run import land
from ingest.store.landing import Landing
from ingest.store.ledger import Ledger
from tests import faults
from tests.faults import HEADER, query_csv, write

NOW = datetime(2025, 11, 2, 12)
DAY = "2025-10-20"
CSV = "g/reports/query_perf_daily_20251020.csv"
PART = f"query_rows/day={DAY}/query_perf_daily_20251020.csv.gz"
AT = 1761000000


class Landed:
    """A root that is landed into again and again."""

    def __init__(self, path: Path) -> None:
        self.root, self.ledger = Root(path), Ledger(None)

    def read(self, text: str, mtime: int = AT, **how: Any) -> str:
        """Land a content of the file; what was warned of."""
        write(self.root.path / CSV, text, mtime)
        return self.again(**how)

    def again(self, **how: Any) -> str:
        report = land(self.root, self.ledger, **{"now": NOW, **how})
        assert not report.errors
        return "\n".join(report.warnings)

    def bundled(self, texts: Iterable[tuple[str, int]], **how: Any) -> str:
        """Land contents from one bundle."""
        (self.root.path / CSV).unlink(missing_ok=True)
        members = []
        for text, mtime in texts:
            info = faults.member(CSV, mtime=mtime)
            members.append((info, text.encode()))
        number = len(list(self.root.path.glob("g/reports/archive/*")))
        name = f"g/reports/archive/reports_20251101_{number:06}.tar.gz"
        faults.make_bundle(self.root.path / name, members)
        return self.again(**how)

    @property
    def text(self) -> str:
        return gzip.decompress((self.root.landing / PART).read_bytes()).decode()

    @property
    def rows(self) -> int:
        return self.text.count("\n") - 1


@pytest.fixture
def landed(tmp_path: Path) -> Landed:
    return Landed(tmp_path)


def other(count: int) -> str:
    """A content that neither begins that of `query_csv` nor goes on with it.

    Nor is it as long: one of equal size and time is the same to a live file.
    """
    return query_csv(DAY, count).replace(",SELECT,", ",INSERT,").replace("true", "1")


@pytest.mark.parametrize("cut", [0, 20, 300, -1, -5, -30])
@pytest.mark.parametrize("later", [-5, 0, 5])
def test_a_truncated_file_replaces_nothing(
    cut: int, later: int, landed: Landed
) -> None:
    whole = query_csv(DAY, 100)
    landed.read(whole)
    before = landed.text
    said = landed.read(whole[:cut], AT + later)
    assert landed.text == before
    if cut and later > 0:
        assert "what holds 100 records is kept" in said or cut == -1
    landed.bundled([(whole[:cut], AT + later)], historical=True)
    assert landed.text == before


@pytest.mark.parametrize("cut", [20, 300, -1, -5, -30])
def test_a_file_that_was_half_written_first_is_whole_in_the_end(
    cut: int, landed: Landed
) -> None:
    whole = query_csv(DAY, 100)
    landed.read(whole[:cut], AT)
    assert not landed.read(whole, AT)
    assert landed.rows == 100
    assert not list(landed.root.landing.glob("superseded/**/*.gz")), "none of it"


def test_fewer_records_are_kept_aside_and_said(landed: Landed) -> None:
    landed.read(query_csv(DAY, 100))
    said = landed.read(other(30), AT + 1)
    assert landed.rows == 100
    assert "query_perf_daily_20251020.csv: what holds 100 records is kept" in said
    assert "; to let the newest count: run " in said
    assert " export --force --date 2025-10-20 --root " in said
    assert len(list(landed.root.landing.glob("superseded/**/*.gz"))) == 1
    assert "is kept" in landed.again(), "as long as it lies there"
    assert not landed.read(other(100), AT + 2)
    assert "INSERT" in landed.text, "as many are a new version"
    assert not landed.again()


def test_what_cannot_be_used_replaces_nothing_however_long(landed: Landed) -> None:
    landed.read(query_csv(DAY, 10))
    assert "is kept" in landed.read("<html>\n" + "<p>no such file</p>\n" * 50, AT + 1)
    assert landed.rows == 10


def test_an_older_content_with_more_records_counts(landed: Landed) -> None:
    landed.read(other(30), AT + 1)
    assert "what holds 100 records is kept" in landed.bundled(
        [(query_csv(DAY, 100), AT)]
    )
    assert landed.rows == 100


@pytest.mark.parametrize("first", ["live", "bundled"])
def test_what_was_forced_stays(first: str, landed: Landed) -> None:
    def forces(dataset: str, day: str) -> bool:
        return (dataset, day) == ("query_perf", DAY)

    landed.read(query_csv(DAY, 100))
    if first == "live":
        landed.read(other(30), AT + 1)
    else:
        landed.bundled([(other(30), AT + 1)])
    assert landed.rows == 100
    assert not landed.again(forces=forces)
    assert landed.rows == 30
    [part] = landed.ledger.parts("query_rows")
    assert part.dropped == 70, "so that fewer are no loss"

    assert not landed.again(historical=True)
    assert not landed.bundled([(query_csv(DAY, 100), AT), (query_csv(DAY, 99), AT + 1)])
    landed.ledger = Ledger(None)
    landed.again()
    assert landed.rows == 30, "with a new ledger, too"
    assert "what holds 30 records is kept" in landed.read(query_csv(DAY, 20), AT + 2)
    landed.read(query_csv(DAY, 50), AT + 3)
    assert landed.rows == 50, "what is newer counts as ever"
    landed.bundled([(query_csv(DAY, 100), AT)])
    assert landed.rows == 50


def test_a_json_twin_that_cannot_be_read_replaces_nothing(tmp_path: Path) -> None:
    root, ledger = Root(tmp_path), Ledger(None)
    path = tmp_path / "g/reports/query_perf_daily_20251020.json"
    for number, patterns in enumerate(("[]", '[{"pattern":"q","samples":1}]')):
        whole = f'{{"date":"{DAY}","patterns":{patterns}}}'
        for text in (whole, whole[:-3], ""):
            write(path, text, AT + number)
            land(root, ledger, now=NOW)
        [part] = ledger.parts("query_patterns")
        assert part.counts == {"query_patterns": number}


def test_a_time_in_the_future_makes_nothing_newer_again(landed: Landed) -> None:
    ahead = AT + 10**9
    landed.read(other(5), ahead)
    landed.read(query_csv(DAY, 5), ahead + 1, now=NOW.replace(hour=13))
    assert "SELECT" in landed.text, "it was read later"
    landed.bundled([(other(5), ahead)], now=NOW.replace(hour=14), historical=True)
    assert "SELECT" in landed.text


# Some of them begin others with as many records, for the last one is cut.
CONTENTS = [
    HEADER, query_csv(DAY, 2), query_csv(DAY, 3), query_csv(DAY, 3)[:-4],
    query_csv(DAY, 3)[:-30], other(2), other(3), other(3)[:-4],
    other(3)[:-2], "odd\n",
]  # fmt: skip
READINGS = st.lists(
    st.tuples(st.sampled_from(CONTENTS), st.integers(AT, AT + 3)),
    min_size=3,
    max_size=6,
)


@settings(max_examples=40, deadline=None)
@given(READINGS, st.randoms(use_true_random=False), st.integers(0, 6))
def test_reading_order_is_no_matter(
    readings: list[tuple[str, int]], random: Any, cut: int
) -> None:
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        at_once, in_turn = Landed(Path(one)), Landed(Path(other))
        at_once.bundled(readings)
        before = at_once.text, origin(at_once)
        random.shuffle(readings)
        for text, mtime in readings[:cut]:
            in_turn.read(text, mtime)
        in_turn.bundled(readings[cut:])
        assert (in_turn.text, origin(in_turn)) == before
        for landed in (at_once, in_turn):
            landed.again(historical=True)
            assert (landed.text, origin(landed)) == before, "nor is reading again"


def origin(landed: Landed) -> object:
    return Landing(landed.root, landed.ledger).origin(landed.root.landing / PART)


def test_no_origin_but_time_and_size_are_told(landed: Landed) -> None:
    landed.read(query_csv(DAY, 3), AT)
    data = (landed.root.landing / PART).read_bytes()
    name = data[10:].partition(b"\0")[0]
    assert data[4:8] == AT.to_bytes(4, "little")
    assert re.fullmatch(b"bytes=[0-9]+", name)
