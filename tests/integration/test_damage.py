"""Damage at rest is found by validate, and repaired or set aside by an export."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from exporter.publish.ledger import Ledger
from ingest import advice
from ingest.root import Root
from tests import faults
from tests.faults import LANDING, LEDGER, export, run

DAY = "g/analytics/ops_atomic_20251027.parquet"
QUERIES = (
    "knowledge/optimize/parquet/query_perf/year=2025/month=10/"
    "query_perf_20251028.parquet"
)


def truncate(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def empty(path: Path) -> None:
    os.truncate(path, 0)


def junk(path: Path) -> None:
    path.write_bytes(os.urandom(5000))


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 3] ^= 16
    path.write_bytes(data)


def scribble(path: Path) -> None:
    data = bytearray(path.read_bytes())
    for at in range(500, len(data), 1000):
        data[at] ^= 255
    path.write_bytes(data)


def flip_unseen(path: Path) -> None:
    look = path.stat()
    flip(path)
    os.utime(path, ns=(look.st_atime_ns, look.st_mtime_ns))


def found(root: Path, path: str) -> bool:
    done = run("validate", root)
    return done.code == 1 and path in done.errors


def test_damaged_parquet_is_made_again(root: Path) -> None:
    before = faults.contents(faults.published(root))
    paths = sorted(before)
    hurt = dict(zip(paths, (truncate, empty, junk, flip), strict=False))
    hurt[QUERIES] = truncate
    for path, damage in hurt.items():
        damage(root / path)
        assert found(root, path), (path, damage)
    done = export(root)
    assert done.paths("exported") == set(hurt)
    assert faults.contents(faults.published(root)) == before
    assert faults.is_valid(root)
    assert not list(root.rglob("*.damaged")), "the landing could replace all"


def test_a_flipped_bit_that_left_no_trace(root: Path) -> None:
    before = faults.contents(faults.published(root))
    part = next((root / LANDING / "heartbeats").rglob("*.gz"))
    whole = part.read_bytes()
    flip_unseen(root / QUERIES)
    flip_unseen(part)
    done = run("validate", root)
    assert done.code == 1
    assert f"{QUERIES}: " in done.errors
    assert "export --force" in done.errors
    mend = advice.command(Root(root), "export", "--historical")
    assert f"{part.name}: damaged landing file: run {mend}" in done.errors
    export(root, "--force", "--historical")
    assert faults.contents(faults.published(root)) == before
    assert part.read_bytes() == whole
    assert faults.is_valid(root)


def test_without_the_input_that_was_an_error_nothing_is_wrong(tmp_path: Path) -> None:
    """Not only is the rest published beside it: nothing is left of it, either."""
    poison = {
        tmp_path / "g/reports" / name
        for name in (
            "heartbeat_2025-10-28_00-05-00.md",
            "query_perf_daily_20251028.csv",
            "index_advisor_report.json",
            "archive/reports_20251029_000000.tar.gz",
        )
    }
    beat = "g/reports/heartbeat_2025-10-28_00-00-00.md"
    faults.write(tmp_path / beat, faults.heartbeat("2025-10-28T00:00:00Z"))
    for path in poison:
        path.parent.mkdir(exist_ok=True)
        path.symlink_to(path.name)  # round and round
    for _ in range(2):
        done = export(tmp_path, code=1)
        assert done.report["status"] == "partial"
        for path in poison:
            assert f"{path.name}: cannot be read" in done.errors
        assert len(faults.rows(tmp_path, faults.BEATS)) == 1
    for path in poison:
        path.unlink()
    healed = export(tmp_path)
    assert healed.report["status"] == "ok"
    assert not healed.errors
    assert not any(path.name in healed.warnings for path in poison)
    assert not run("ingest", tmp_path).report["errors"]
    assert faults.is_valid(tmp_path)


@pytest.mark.parametrize("damage", [truncate, empty, junk, flip])
def test_damaged_landing_is_landed_again(
    damage: Callable[[Path], None], root: Path
) -> None:
    store, before = faults.landed(root), faults.published(root)
    parts = sorted((root / LANDING).rglob("*.gz"))[::2]
    for part in parts:
        damage(part)
    for part in parts:
        assert found(root, part.name)
    done = run("ingest", root)
    assert done.code == 0, done.errors
    assert "damaged; set aside as" in done.warnings
    kept = {n: d for n, d in faults.landed(root).items() if "damaged" not in n}
    assert kept == store
    assert len(list((root / LANDING).rglob("*.damaged"))) == len(parts)
    assert not export(root).paths("exported")
    assert faults.published(root) == before
    assert faults.is_valid(root)


def test_a_dry_run_leaves_damage_as_it_is(root: Path) -> None:
    part = next((root / LANDING / "heartbeats").rglob("*.gz"))
    truncate(part)
    truncate(root / DAY)
    before = faults.everything_raw(root)
    assert run("export", root, "--dry-run").code == 0
    assert faults.everything_raw(root) == before


@pytest.mark.parametrize(
    "damage", [truncate, junk, scribble, lambda path: path.unlink()], ids=range(4)
)
def test_a_damaged_or_lost_ledger_is_made_again(
    damage: Callable[[Path], None], root: Path
) -> None:
    store, before = faults.landed(root), faults.published(root)
    damage(root / LEDGER)
    assert found(root, LEDGER)
    assert not export(root).paths("exported")
    assert faults.landed(root) == store
    assert faults.published(root) == before
    assert faults.is_valid(root)
    listed = [file["path"] for file in export(root).report["files"]]
    assert set(filter(faults.is_made_of_inputs, listed)) == before.keys()


def rows_of(ledger: Ledger) -> list[object]:
    return [
        ledger.db.execute(f"select * from {name}").fetchall() for name in Ledger.TABLES
    ]


def test_no_changed_byte_of_the_ledger_is_believed(root: Path) -> None:
    path = root / LEDGER
    whole = path.read_bytes()
    wanted = rows_of(Ledger.copy_in_memory(path))
    believed = 0
    for at in range(0, len(whole), 61):
        data = bytearray(whole)
        data[at] ^= 255
        path.write_bytes(data)
        copy = Ledger.copy_in_memory(path)
        if not copy.was_damaged:  # it hit free space
            believed += 1
            assert copy.is_new or rows_of(copy) == wanted, at
    assert believed < len(whole) / 61


def test_a_damaged_manifest_is_written_again(root: Path) -> None:
    path = root / LANDING / "landed_days.csv"
    whole = path.read_bytes()
    for damage in (truncate, empty, junk):
        damage(path)
        assert found(root, "landed_days.csv")
        assert run("ingest", root).code == 0
        assert path.read_bytes() == whole
    path.unlink()
    assert found(root, "landed_days.csv")
    export(root)
    assert path.read_bytes() == whole


def test_what_landing_cannot_replace_is_set_aside(root: Path) -> None:
    other = "g/analytics/ops_atomic_20240101.parquet"
    junk(root / other)
    shutil.copy2(root / DAY, root / other.replace("0101", "0102"))
    kept = [
        (root / other).read_bytes(),
        (root / other.replace("0101", "0102")).read_bytes(),
    ]
    with pytest.raises(duckdb.Error):
        faults.rows(root, faults.BEATS)
    assert found(root, other)
    done = export(root)
    assert f"{other}: not readable as Parquet; set aside" in done.warnings
    assert "0102.parquet: damaged; set aside" in done.warnings
    aside = sorted(root.rglob("*.damaged"))
    assert [path.read_bytes() for path in aside] == kept
    assert faults.rows(root, faults.BEATS)
    assert faults.is_valid(root)

    junk(root / other)
    export(root)
    assert (root / f"{other}.damaged").read_bytes() == kept[0], "not overwritten"
    assert (root / f"{other}.2.damaged").exists()


def test_lost_and_damaged_at_once_keeps_the_bytes(root: Path) -> None:
    """Nobody knows any more what stood in the file: it is kept aside."""
    shutil.rmtree(root / faults.STATE)
    for name in faults.inputs(root):
        if "2025-10-27" in name and name.endswith(".md"):
            (root / name).unlink()
            break
    truncate(root / DAY)
    kept = (root / DAY).read_bytes()
    done = run("export", root)
    assert "heartbeat_checks_20251027.parquet: " in done.warnings
    assert "row(s) are kept that the landing no longer holds" in done.warnings
    assert (root / f"{DAY}.damaged").read_bytes() == kept
    assert faults.is_valid(root)


def test_a_lost_landing_is_made_again_from_live_inputs(root: Path) -> None:
    store, before = faults.landed(root), faults.published(root)
    shutil.rmtree(root / LANDING)
    assert not export(root).paths("exported")
    assert faults.landed(root) == store
    assert faults.published(root) == before

    shutil.rmtree(root / faults.STATE)
    for path in before:
        (root / path).unlink()
    export(root)
    assert faults.landed(root) == store
    assert faults.contents(faults.published(root)) == faults.contents(before)
