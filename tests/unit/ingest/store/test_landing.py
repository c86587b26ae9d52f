"""The landing store: parts of the same bytes, reconciling, what moves between days."""

from __future__ import annotations

import gzip
import io
import json
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.loaders import heartbeats as loader
from ingest.root import Root
from ingest.run import land
from ingest.sources.heartbeats import parse_heartbeat
from ingest.store.digests import digest
from ingest.store.landed_days import landed_days
from ingest.store.landing import Landing
from ingest.store.ledger import Ledger
from ingest.store.part_files import Origin, gzip_bytes, read_origin, text_length
from ingest.store.reconcile import Unsound, check_manifest, reconcile, unsound_parts
from tests.faults import heartbeat, write

NOW = datetime(2025, 11, 2, 12)
BEAT = "g/reports/heartbeat_2025-10-27_01-00-00.md"


def test_equal_records_make_equal_bytes() -> None:
    assert gzip_bytes(b"x" * 99) == gzip_bytes(b"x" * 99)
    assert gzip_bytes(b"x", Origin(7))[4:8] == b"\x07\0\0\0"
    assert digest(["ab", "c"]) != digest(["a", "bc"])


def test_a_name_is_found_under_every_day_it_is_landed_under() -> None:
    at_home, stray, dateless = (
        f"heartbeat_{at}.md"
        for at in ("2025-10-27_01-00-00", "2025-10-27_02-00-00", "2025-99-99_00-00-00")
    )
    for days in (
        {"2025-10-26": [stray], "2025-10-27": [at_home, stray], "2025-10-28": []},
        {"2025-10-27": [at_home, stray], "2025-10-26": [stray]},
    ):
        landed = loader.LandedNames()
        for day, names in [*days.items(), ("2025-10-29", [dateless])]:
            landed.add(day, names)
        assert landed.known == {at_home, stray, dateless}
        assert set(landed.days(at_home)) == {"2025-10-27"}
        assert set(landed.days(stray)) == {"2025-10-26", "2025-10-27"}
        assert set(landed.days(dateless)) == {"2025-10-29"}
        assert not landed.days("heartbeat_2025-10-27_03-00-00.md")


def landed_root(tmp_path: Path) -> tuple[Root, Ledger]:
    root, ledger = Root(tmp_path), Ledger(None)
    write(tmp_path / BEAT, heartbeat("2025-10-27T01:00:00Z"))
    write(
        tmp_path / "g/reports/query_perf_daily_20251027.csv", "timestamp,query_hash\n"
    )
    land(root, ledger, now=NOW)
    return root, ledger


def test_stock_is_what_lies_there(tmp_path: Path) -> None:
    root, ledger = landed_root(tmp_path)
    landing = Landing(root, ledger)
    before = list(ledger.parts())
    assert reconcile(landing) == []
    fresh = Ledger(None)
    assert reconcile(Landing(root, fresh)) == []
    assert [(p.source, p.fingerprint, p.counts) for p in fresh.parts()] == [
        (p.source, p.fingerprint, p.counts) for p in before
    ]
    part = next((root.landing / "heartbeats").rglob("*.gz"))
    part.touch()
    assert reconcile(landing) == []
    assert unsound_parts(root, ledger) == []
    part.unlink()
    shown = root.relative(part)
    assert unsound_parts(root, ledger) == [
        Unsound("heartbeats", "2025-10-27", f"{shown}: missing from the landing")
    ]
    assert unsound_parts(root, ledger, {"2025-10-28"}) == []
    assert "1 landing file(s) are gone" in reconcile(landing)[0]


def test_a_run_with_nothing_new_writes_nothing(tmp_path: Path) -> None:
    root = Root(tmp_path)
    write(tmp_path / BEAT, heartbeat("2025-10-27T01:00:00Z"))
    root.state.mkdir(parents=True)
    ledger = Ledger(root.state / "ledger.sqlite")
    for _ in range(2):
        land(root, ledger, now=NOW)
    said: list[str] = []
    ledger.db.set_trace_callback(said.append)
    before = ledger.db.total_changes, (root.state / "ledger.sqlite").stat().st_mtime_ns
    land(root, ledger, now=NOW)
    after = ledger.db.total_changes, (root.state / "ledger.sqlite").stat().st_mtime_ns
    assert before == after
    assert "delete from doubted" not in said
    ledger.close()


def test_what_cannot_be_read_is_not_called_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root, ledger = landed_root(tmp_path)
    part = next((root.landing / "heartbeats").rglob("*.gz"))
    part.touch()

    def refuse(path: Path) -> int:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("ingest.files.checksum", refuse)
    with pytest.raises(PermissionError):
        reconcile(Landing(root, ledger))
    assert part.exists()


def test_the_manifest(tmp_path: Path) -> None:
    root, ledger = landed_root(tmp_path)
    path = root.landing / "landed_days.csv"
    assert check_manifest(root, ledger) == ([], [])
    whole = path.read_text()
    path.write_text(whole.rpartition("heartbeats")[0])
    errors, warnings = check_manifest(root, ledger)
    assert not errors
    assert "older than the landing" in warnings[0]
    for damaged in ("", whole[:-5], whole.replace("heartbeats", "heart,beats")):
        path.write_text(damaged)
        assert check_manifest(root, ledger)[0]
    path.unlink()
    assert "missing" in check_manifest(root, ledger)[0][0]
    assert check_manifest(root, Ledger(None)) == ([], [])
    path.mkdir()
    assert "cannot be read" in check_manifest(root, ledger)[0][0]


def test_a_dry_run_holds_what_it_would_write(tmp_path: Path) -> None:
    root, ledger = Root(tmp_path), Ledger(None)
    write(tmp_path / BEAT, heartbeat("2025-10-27T01:00:00Z"))
    csv = tmp_path / "g/reports/query_perf_daily_20251027.csv"
    write(csv, "timestamp,query_hash,execution_time_ms\n2025-10-27,a,1\n", 1761609600)
    report = land(root, ledger, dry_run=True, now=NOW)
    assert report.records == 2
    assert not root.state.exists()
    assert {day.source for day in landed_days(ledger)} >= {"heartbeats", "query_rows"}


def test_a_better_parser_reads_what_is_landed_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even where that moves a report to another day."""
    root, ledger = landed_root(tmp_path)
    (tmp_path / BEAT).unlink()
    assert [d.day for d in landed_days(ledger) if d.source == "heartbeats"] == [
        "2025-10-27"
    ] * 2
    real = parse_heartbeat

    def better(name: str, text: str, now: datetime) -> object:
        return real(name, text.replace("2025-10-27T01", "2025-10-28T01"), now)

    monkeypatch.setattr(loader, "parse_heartbeat", better)
    monkeypatch.setattr(
        loader, "parser_fingerprints", lambda sources: dict.fromkeys(sources, "better")
    )
    land(root, ledger, now=NOW)
    counts = {
        (d.day, d.dataset): (d.records, d.dropped)
        for d in landed_days(ledger)
        if d.source == "heartbeats"
    }
    assert counts["2025-10-28", "ops_atomic"] == (1, 0)
    assert counts["2025-10-27", "ops_atomic"] == (0, 1), "it left for good reason"
    assert len(list((root.landing / "heartbeats").rglob("*.gz"))) == 2
    again = list(ledger.parts("heartbeats"))
    land(root, ledger, now=NOW)
    assert list(ledger.parts("heartbeats")) == again


def test_a_part_of_an_older_form_is_read_again(tmp_path: Path) -> None:
    """Even where the ledger is lost: all that stood in the part still stands."""
    root, _ = landed_root(tmp_path)
    (tmp_path / BEAT).unlink()
    (path,) = (root.landing / "heartbeats").rglob("*.gz")
    whole = path.read_bytes()
    record = json.loads(gzip.decompress(whole))
    del record["check_groups"]
    old = {**record, "checks": [{"check_group": "x" * 99, "text": "y"}]}
    path.write_bytes(gzip_bytes(json.dumps(old).encode() + b"\n"))
    report = land(root, Ledger(None), now=NOW)
    assert not report.warnings
    assert path.read_bytes() == whole


@given(
    st.integers(0, (1 << 32) - 1),
    st.frozensets(st.sampled_from(["moment", "chosen", "unproven"])),
    st.integers(0, 1 << 50),
)
def test_a_part_says_where_it_came_from(
    modified: int, notes: frozenset[str], size: int
) -> None:
    origin = Origin(modified, notes, size)
    made = gzip_bytes(b"text", origin)
    assert read_origin(io.BytesIO(made)) == origin
    assert text_length(io.BytesIO(made)) == 4
    assert gzip.decompress(made) == b"text"
