"""Growing logs: each line is landed once, and only what is new is read."""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from ingest.inputs import InputFile
from ingest.loaders.context import Context, LandingReport
from ingest.loaders.lines import PROOF_BYTES, LineLoader
from ingest.parsers import masks_of
from ingest.root import Root
from ingest.store.landing import Landing
from ingest.store.ledger import Ledger, SeenInput
from ingest.text.clean import MAX_RECORD_BYTES

NOW = datetime(2025, 11, 2, 12)
MODIFIED = datetime(2025, 11, 1, 18, tzinfo=UTC)
DAY = "2025-10-27"
QUERIES, TELEMETRY = "query_log", "telemetry"


class Recorded(io.BytesIO):
    """A file that notes which of its bytes are read."""

    def __init__(self, data: bytes, spans: list[range]) -> None:
        super().__init__(data)
        self.spans = spans

    def read(self, size: int | None = -1, /) -> bytes:
        start = self.tell()
        data = super().read(size)
        self.spans.append(range(start, start + len(data)))
        return data


class Log:
    """A log that one run after another reads as it then is."""

    def __init__(self, root: Path, source: str = QUERIES) -> None:
        self.root, self.source = Root(root), source
        self.landing = Landing(self.root, Ledger(None))
        self.seen: dict[str, SeenInput] = {}
        self.report = LandingReport()

    def read(
        self, text: str | bytes, from_start: bool = False, is_bundled: bool = False
    ) -> set[int]:
        """Land what is new; returns the places of the bytes that were read."""
        data = text.encode() if isinstance(text, str) else text
        spans: list[range] = []
        path = None if is_bundled else f"g/{self.source}.jsonl"

        @contextlib.contextmanager
        def opened() -> Iterator[BinaryIO]:
            yield Recorded(data, spans)

        loader = LineLoader(self._context(), self.seen, from_start)
        loader.add(
            InputFile(
                name=f"{self.source}.jsonl",
                kind=self.source,
                shown=str(path),
                mtime=int(MODIFIED.timestamp()),
                read_at=NOW,
                size=len(data),
                open=opened,
                path=path,
                key=path,
            )
        )
        loader.flush()
        self.landing.commit()
        self.seen |= {
            key: SeenInput(self.source, len(data), 0, position)
            for key, position in loader.positions.items()
        }
        return {place for span in spans for place in span}

    def _context(self) -> Context:
        def forces(_dataset: str, _day: str) -> bool:
            return False

        masks = masks_of(self.root)
        said: list[object] = []
        return Context(
            self.landing, masks, lambda: NOW, NOW, self.report, said.append, forces
        )

    @property
    def landed(self) -> list[dict[str, Any]]:
        """All landed records, day by day."""
        return [
            record | {"landed_on": part.day}
            for part in self.landing.ledger.parts(self.source)
            for record in self.landing.records(self.source, part.day, part.part)
        ]

    def told(self, field: str) -> list[Any]:
        return [record[field] for record in self.landed]


def query(number: int, **more: Any) -> str:
    at = f"{DAY}T{number // 3600:02}:{number // 60 % 60:02}:{number % 60:02}Z"
    return json.dumps({"ts": at, "query": f"select {number}", **more}) + "\n"


def metric(name: str, value: int = 1, **more: Any) -> str:
    return json.dumps({"metric": name, "value": value, **more}) + "\n"


def queries(*numbers: int) -> list[str]:
    return [f"select {number}" for number in numbers]


@pytest.fixture
def log(tmp_path: Path) -> Log:
    return Log(tmp_path)


@pytest.fixture
def telemetry(tmp_path: Path) -> Log:
    return Log(tmp_path, TELEMETRY)


def test_only_what_came_since_is_read(log: Log) -> None:
    before = "".join(map(query, range(400)))
    assert log.read(before) == set(range(len(before)))
    after = before + query(400) + query(401)
    read = log.read(after)
    # A little of what lies before tells whether it is still the same file.
    assert read == set(range(len(before) - PROOF_BYTES, len(after)))
    assert len(read) < len(before) / 4
    assert log.told("query") == queries(*range(402))
    assert log.told("line_number") == [*range(1, 403)]


def test_a_file_in_which_nothing_is_new_adds_nothing(log: Log) -> None:
    text = query(1) + query(2)
    for how in ({}, {"from_start": True}, {"is_bundled": True}):
        log.read(text, **how)
        assert log.told("query") == queries(1, 2)
    assert log.report.records == 2


def test_from_its_start_it_is_read_as_a_whole(log: Log) -> None:
    text = "".join(map(query, range(400)))
    log.read(text)
    assert log.read(text, from_start=True) == set(range(len(text)))


def test_of_a_rotated_log_all_is_read_and_nothing_is_lost(log: Log) -> None:
    log.read(query(1) + query(2))
    # As long as the one before, longer, and shorter.
    for numbers in ((3, 4), (5, 6, 7, 8), (9,)):
        log.read("".join(map(query, numbers)))
    assert sorted(log.told("query")) == queries(*range(1, 10))


def test_a_line_is_known_when_a_rotated_log_says_it_again(log: Log) -> None:
    log.read(query(1) + query(2) + query(3))
    log.read(query(2) + query(3) + query(4) + query(5))
    assert sorted(log.told("query")) == queries(*range(1, 6))


def test_equal_lines_count_as_often_as_they_stand_there(log: Log) -> None:
    text = query(1) + query(1)
    log.read(text)
    assert log.told("ordinal") == [1, 2]
    # The third says so only beside those before it.
    log.read(text + query(1))
    assert log.told("ordinal") == [1, 2, 3]
    log.read(text + query(1), is_bundled=True)
    assert log.told("ordinal") == [1, 2, 3]


def test_a_line_that_is_being_written_waits(log: Log) -> None:
    whole = query(1) + query(2)
    log.read(whole[:-10])
    assert log.told("query") == ["select 1", None]
    assert log.landed[1]["problem"]
    log.read(whole)
    # No reject stays beside it.
    assert log.told("query") == queries(1, 2)
    assert log.told("problem") == [None, None]
    log.read(whole + query(3))
    assert log.told("query") == queries(1, 2, 3)


def test_a_last_line_that_lacks_its_end_alone_is_landed_once(log: Log) -> None:
    text = query(1) + query(2)
    log.read(text.rstrip("\n"))
    assert log.told("query") == queries(1, 2)
    log.read(text + query(3))
    assert log.told("query") == queries(1, 2, 3)


def test_untimed_lines_have_the_time_of_the_line_before(telemetry: Log) -> None:
    text = metric("first") + metric("timed", ts="2025-10-26T10:00:00+07:00")
    telemetry.read(text)
    # Also where that one was read by the run before.
    telemetry.read(text + metric("last"))
    told = {
        record["metric"]: (record["landed_on"], record["at"][:19])
        for record in telemetry.landed
    }
    assert told == {
        "first": ("2025-11-01", "2025-11-01 18:00:00"),
        "timed": ("2025-10-26", "2025-10-26 03:00:00"),
        "last": ("2025-10-26", "2025-10-26 03:00:00"),
    }


def test_an_untimed_line_keeps_the_day_that_it_was_given_first(telemetry: Log) -> None:
    timed = metric("timed", ts="2025-10-26T10:00:00Z")
    telemetry.read(timed + metric("untimed"))
    telemetry.read(metric("untimed"))
    assert telemetry.told("metric") == ["timed", "untimed"]
    assert telemetry.told("landed_on") == ["2025-10-26"] * 2


def test_lines_land_in_the_order_of_the_file(log: Log) -> None:
    log.read(query(30) + query(10) + query(20))
    log.read(query(30) + query(10) + query(20) + query(5))
    assert log.told("query") == queries(30, 10, 20, 5)


def test_a_line_that_cannot_be_read_costs_only_itself(log: Log) -> None:
    broken = {
        "no json": "not JSON",
        "[1]": "not an object",
        "x" * (MAX_RECORD_BYTES + 1): "line is too long",
        query(1).replace("2025", "2035").rstrip(): "dated more than a day ahead",
        '{"ts": "soon", "query": "q"}': "ts is not a time",
        '{"query": "q"}': "no ts",
    }
    # Blank lines are none, and count.
    log.read(query(1) + "".join(f"{line}\n\n" for line in broken) + query(2))
    told = {record["line_number"]: record for record in log.landed}
    assert sorted(told) == [1, *range(2, 14, 2), 14]
    assert told[1]["problem"] is told[14]["problem"] is None
    for number, (text, problem) in enumerate(broken.items()):
        reject = told[2 + 2 * number]
        assert problem in reject["problem"]
        assert reject["raw"][:4000] == text[:4000]


def test_of_a_key_that_is_still_being_written_nothing_is_landed(log: Log) -> None:
    secret = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQ"
    text = query(1) + "-----BEGIN PRIVATE KEY-----\n"
    log.read(text)
    text += f"{secret}\n"
    log.read(text)
    log.read(text + f"{secret[::-1]}\n-----END PRIVATE KEY-----\n" + query(2))
    assert queries(1, 2) == [said for said in log.told("query") if said]
    for raw in log.told("raw"):
        assert secret not in raw
        assert secret[::-1] not in raw


def test_a_large_log_is_written_before_all_of_it_is_read(
    log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest.loaders.lines.MOST_PENDING", 2000)
    monkeypatch.setattr("ingest.loaders.lines.LINES_AT_ONCE", 3)
    log.read("".join(map(query, [*range(50), 7, 7])))
    assert log.told("query") == queries(*range(50), 7, 7)
    assert log.told("ordinal")[-2:] == [2, 3]
