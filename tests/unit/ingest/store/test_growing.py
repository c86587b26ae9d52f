"""Days that grow: what is new costs what it costs, however much is landed."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.root import PROJECT, Root
from ingest.run import land
from ingest.store import growing
from ingest.store.digests import sum_of
from ingest.store.landed_days import landed_days
from ingest.store.landing import Landing
from ingest.store.ledger import Ledger
from ingest.store.part_files import parse_records
from tests import faults

NOW = datetime(2025, 11, 2, 12)
LOG = "g/reports/query_perf.jsonl"
TELEMETRY = "g/telemetry/rollup_daily.ndjson"
DAY = "2025-10-27"


def logged(second: int, query: str = "select 1", **more: Any) -> str:
    at = f"{DAY}T{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}Z"
    return json.dumps({"ts": at, "query": query, "duration_ms": 1, **more}) + "\n"


def untimed(number: int) -> str:
    return json.dumps({"query": f"select {number}", "duration_ms": 1}) + "\n"


def beat(number: int) -> tuple[str, str]:
    minutes = 5 * number
    at = f"{minutes // 60:02}:{minutes % 60:02}:00"
    name = f"g/reports/heartbeat_{DAY}_{at.replace(':', '-')}.md"
    return name, faults.heartbeat(f"{DAY}T{at}Z")


def texts(root: Root, source: str) -> list[str]:
    """The texts of all landed records of a source, sorted."""
    return sorted(
        record["raw"]
        for path in parts(root, source)
        for record in parse_records(path.read_bytes())
    )


def parts(root: Root, source: str) -> list[Path]:
    return sorted((root.landing / source).rglob("*.gz"))


class Traffic:
    """Bytes of parts that a landing reads and writes."""

    def __init__(self, root: Root, monkeypatch: pytest.MonkeyPatch) -> None:
        self.root = root
        self.read = 0
        self.before = self._file_stat()
        real = Landing.open_raw

        def counted(landing: Landing, path: Path) -> Any:
            self.read += path.stat().st_size if path.exists() else 0
            return real(landing, path)

        monkeypatch.setattr(Landing, "open_raw", counted)

    def _file_stat(self) -> dict[Path, tuple[int, int]]:
        part_stats = {path: path.stat() for path in self.root.landing.rglob("*.gz")}
        return {
            path: (file_stat.st_ino, file_stat.st_size)
            for path, file_stat in part_stats.items()
        }

    @property
    def written(self) -> int:
        return sum(
            size
            for path, (inode, size) in self._file_stat().items()
            if self.before.get(path) != (inode, size)
        )


def grow_lines(root: Path, count: int, line: Callable[[int], str]) -> None:
    with faults.write(root / LOG, "").open("a") as stream:
        stream.writelines(map(line, range(count)))


@pytest.mark.parametrize("line", [logged, untimed], ids=["timed", "untimed"])
def test_one_line_more_costs_the_same_after_many(
    line: Callable[[int], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(growing, "FULL", 100 << 10)
    traffic = []
    for count in (2_000, 20_000):
        root = Root(tmp_path / str(count))
        ledger = Ledger(None)
        faults.write(root.path / LOG, "".join(map(line, range(count))), 1761609600)
        land(root, ledger, now=NOW)
        with monkeypatch.context() as patch:
            seen = Traffic(root, patch)
            with (root.path / LOG).open("a") as stream:
                stream.write(line(86_000))
            assert land(root, ledger, now=NOW).records == 1
            traffic.append(seen.read + seen.written)
            whole = sum(path.stat().st_size for path in parts(root, "query_log"))
        assert len(texts(root, "query_log")) == count + 1
    assert traffic[1] < 2 * traffic[0]
    assert traffic[1] < whole / 4


def test_a_small_day_stays_one_part(tmp_path: Path) -> None:
    root, ledger = Root(tmp_path), Ledger(None)
    for number in range(5):
        with faults.write(tmp_path / LOG, "").open("w") as stream:
            stream.writelines(logged(second) for second in range(10 * number + 10))
        faults.write(tmp_path / beat(number)[0], beat(number)[1])
        land(root, ledger, now=NOW)
    assert [p.name for p in parts(root, "query_log")] == ["query_log.ndjson.gz"]
    assert [p.name for p in parts(root, "heartbeats")] == ["heartbeats.ndjson.gz"]


INPUTS = st.lists(
    st.one_of(
        st.builds(logged, st.integers(0, 5), st.sampled_from("ab")),
        st.builds(untimed, st.integers(0, 2)),
    ),
    max_size=12,
)


@settings(max_examples=30)
@given(INPUTS, st.lists(st.integers(0, 12), max_size=3), st.booleans())
def test_how_lines_came_is_no_matter(
    tmp_path_factory: pytest.TempPathFactory,
    lines: list[str],
    pauses: list[int],
    is_rotated: bool,
) -> None:
    """All at once or a few at a time, live or from a bundle, and read again:
    the same records, the same fingerprint, whatever parts they lie in."""
    once = Root(tmp_path_factory.mktemp("once"))
    bits = Root(tmp_path_factory.mktemp("bits"))
    at = 1761609600
    faults.write(once.path / LOG, "".join(lines), at)
    whole = Ledger(None)
    land(once, whole, now=NOW)
    ledger = Ledger(None)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(growing, "FULL", 300)
        for end in [*sorted(pauses), len(lines)]:
            faults.write(bits.path / LOG, "".join(lines[:end]), at)
            land(bits, ledger, now=NOW)
        if is_rotated:
            faults.rotate(bits.path, [LOG])
        land(bits, ledger, now=NOW, historical=True)
        assert texts(bits, "query_log") == texts(once, "query_log")
        assert fingerprints(ledger) == fingerprints(whole)
        fresh = Ledger(None)  # all of it can be made again from the parts
        land(bits, fresh, now=NOW)
        assert list(fresh.landed()) == list(ledger.landed())


def fingerprints(ledger: Ledger) -> dict[tuple[str, str, str], tuple[int, str]]:
    return {
        (day.source, day.day, day.dataset): (day.records, day.mark)
        for day in landed_days(ledger)
    }


@settings(max_examples=30)
@given(st.lists(st.integers(0, 20), max_size=10), st.lists(st.booleans(), max_size=20))
def test_how_heartbeats_came_is_no_matter(
    tmp_path_factory: pytest.TempPathFactory, order: list[int], changes: list[bool]
) -> None:
    """Some at a time, in any order, some written anew in between."""
    once = Root(tmp_path_factory.mktemp("once"))
    bits = Root(tmp_path_factory.mktemp("bits"))
    ledger, whole = Ledger(None), Ledger(None)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(growing, "FULL", 700)
        for step, number in enumerate(order):
            name, text = beat(number)
            is_changed = step < len(changes) and changes[step]
            text = text.replace("PONG", f"PONG {step}") if is_changed else text
            for root in (once, bits):
                faults.write(root.path / name, text, 1761609600 + step)
            land(bits, ledger, now=NOW, historical=True)
        fresh = Ledger(None)
        land(bits, fresh, now=NOW)
    land(once, whole, now=NOW)
    assert set(texts(once, "heartbeats")) <= set(texts(bits, "heartbeats"))
    assert list(fresh.landed()) == list(ledger.landed())
    if not any(changes):
        assert fingerprints(ledger) == fingerprints(whole)


def test_a_heartbeat_written_anew_is_replaced_in_its_own_part(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(growing, "FULL", 1_000)
    root, ledger = Root(tmp_path), Ledger(None)
    for number in range(12):
        name, text = beat(number)
        faults.write(tmp_path / name, text[:-1], 1761609600)
    land(root, ledger, now=NOW)
    before = {path: path.read_bytes() for path in parts(root, "heartbeats")}
    assert len(before) > 3
    faults.write(tmp_path / beat(0)[0], beat(0)[1], 1761609700)
    land(root, ledger, now=NOW, historical=True)
    after = {path: path.read_bytes() for path in parts(root, "heartbeats")}
    changed = [path.name for path in before if before[path] != after[path]]
    assert changed == ["heartbeats.ndjson.gz"]
    assert len(texts(root, "heartbeats")) == 12


def test_a_cut_line_is_found_in_whichever_part_it_lies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(growing, "FULL", 500)
    root, ledger = Root(tmp_path), Ledger(None)
    lines = [logged(second) for second in range(20)]
    faults.write(tmp_path / LOG, "".join(lines)[:-10])
    land(root, ledger, now=NOW)
    faults.write(tmp_path / LOG, "".join(lines))
    land(root, ledger, now=NOW)
    assert len(parts(root, "query_log")) > 3
    assert texts(root, "query_log") == sorted(line.strip() for line in lines)


def test_fingerprints_of_parts_add_up() -> None:
    one, other = "0" * 31 + "1", "f" * 32
    assert sum_of([one]) == one
    assert sum_of([one, other]) == "0" * 32
    assert sum_of([other, one]) == sum_of([one, other])
    assert sum_of([one, one]) != sum_of([one]), "equal records count"


MEASURE = """
import sys
from datetime import datetime
from pathlib import Path
from ingest.store.ledger import Ledger
from ingest.root import Root
from ingest.run import land
from tests.memory import most_bytes
root = Root(Path(sys.argv[1]))
report = land(root, Ledger(None), now=datetime(2025, 11, 2), historical=True)
land(root, Ledger(None), now=datetime(2025, 11, 2), historical=True)
print(report.records, most_bytes())
"""


def most_memory(root: Path) -> tuple[int, int]:
    """(records, bytes) of landing a root twice, in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, root],
        cwd=PROJECT, check=True, capture_output=True, text=True,
    )  # fmt: skip
    records, peak = map(int, done.stdout.split())
    return records, peak


def test_long_heartbeats_take_no_more_memory_than_some_of_them(tmp_path: Path) -> None:
    """Of 300 with 700 KB each, all were held in memory, ten times over."""
    for number in range(25):
        name, text = beat(number)
        checks = "".join(f"- **Check {number} {n}:** ✅ fine\n" for n in range(15_000))
        faults.write(tmp_path / name, text + "\n### More\n\n" + checks)
    records, peak = most_memory(tmp_path)
    assert records == 25
    assert peak < 170 << 20


def test_long_lines_take_no_more_memory_than_some_of_them(tmp_path: Path) -> None:
    """Ten thousand lines were read at once, whatever their length."""
    with faults.write(tmp_path / LOG, "").open("w") as stream:
        for number in range(60):
            stream.write(logged(number, f"{number} " + "x" * 900_000))
    records, peak = most_memory(tmp_path)
    assert records == 60
    assert peak < 170 << 20
