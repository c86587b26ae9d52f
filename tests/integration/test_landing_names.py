"""What lies in the landing and is no part of it is named and never read."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from exporter.publish import landing_views
from exporter.publish.ledger import open_ledger
from ingest.registry import SOURCES
from ingest.store.ledger import Break
from tests import faults
from tests.faults import (
    LANDING,
    LEDGER,
    heartbeat,
    query_csv,
    run,
    write,
)
from tests.faults import export_datasets as export

DAY = "2025-10-28"
BEATS = f"heartbeats/day={DAY}/heartbeats.ndjson.gz"
ROWS = f"query_rows/day={DAY}/query_perf_daily_20251028.csv.gz"
# Copies that people and their tools leave: of what, and what of it is odd.
COPIES = {
    f"heartbeats/day={DAY} copy/heartbeats.ndjson.gz": (BEATS, 2),
    "heartbeats/day=2025-02-30/heartbeats.ndjson.gz": (BEATS, 2),
    f"heartbeats/day={DAY}/heartbeats.ndjson 2.gz": (BEATS, 3),
    f"heartbeats/day={DAY}/heartbeats copy.ndjson.gz": (BEATS, 3),
    f"heartbeats/day={DAY}/heartbeats.ndjson.gz~": (BEATS, 3),
    f"heartbeats/day={DAY}/.#heartbeats.ndjson.gz": (BEATS, 3),
    f"heartbeats copy/day={DAY}/heartbeats.ndjson.gz": (BEATS, 1),
    f"query_rows/day={DAY}/query_perf_daily_20251028 2.csv.gz": (ROWS, 3),
    f"query_rows/day={DAY}/query_perf_daily_20251027.csv.gz": (ROWS, 3),
    f"query_rows/day={DAY}/.DS_Store": (ROWS, 3),
    ".DS_Store": (ROWS, 1),
}


def copy_about(root: Path) -> list[str]:
    """Leave all of those; returns what a warning should name."""
    for name, (of, _) in COPIES.items():
        path = root / LANDING / name
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(root / LANDING / of, path)
    return ["/".join(name.split("/")[:odd]) for name, (_, odd) in COPIES.items()]


def seen_by_dbt(root: Path) -> dict[str, int]:
    """Records of each source, as dbt would read them."""
    with duckdb.connect() as db:
        ledger = open_ledger(faults.as_root(root), dry_run=True)
        parts = landing_views.landed_parts(faults.as_root(root), ledger)
        landing_views.create(db, faults.as_root(root), parts)
        return {
            source: db.execute(f"select count(*) from landing.{source}").fetchall()[0][
                0
            ]
            for source in SOURCES
        }


def test_copies_are_named_and_never_read(root: Path) -> None:
    before, seen = faults.published(root), seen_by_dbt(root)
    odd = copy_about(root)
    done = export(root)
    said = [text for text in done.report["warnings"] if "never read" in text]
    assert len(said) == 1
    assert all(f" {name}" in said[0] for name in odd), said
    assert faults.published(root) == before
    assert seen_by_dbt(root) == seen
    assert faults.are_datasets_valid(root)
    assert "never read" in run("validate", root).warnings

    (root / LEDGER).unlink()
    assert not export(root).paths("exported")
    write(
        root / f"g/reports/ops_atomic/heartbeat_{DAY}_13-00-00.md",
        heartbeat(f"{DAY}T13:00:00Z"),
    )
    export(root, "--historical")
    assert not faults.conservation(root)
    assert seen_by_dbt(root) == seen | {"heartbeats": seen["heartbeats"] + 1}
    for name in COPIES:
        assert (root / LANDING / name).exists(), "left where it lies"


def test_a_part_copied_to_another_day_is_no_part_of_it(root: Path) -> None:
    """Its name is right, but what it holds is of another day."""
    before = faults.published(root)
    place = root / LANDING / "heartbeats/day=2025-10-01/heartbeats.ndjson.gz"
    place.parent.mkdir()
    shutil.copy(root / LANDING / BEATS, place)
    assert "day=2025-10-01/heartbeats.ndjson.gz: damaged; set aside" in (
        export(root).warnings
    )
    assert faults.published(root) == before
    assert faults.are_datasets_valid(root)


TWICE = {
    # Copies under the next exact name: of all, of an older state, of a twin's.
    BEATS: f"heartbeats/day={DAY}/heartbeats.2.ndjson.gz",
    f"query_log/day={DAY}/query_log.ndjson.gz": (
        f"query_log/day={DAY}/query_log.2.ndjson.gz"
    ),
    ROWS: f"query_rows/day={DAY}/query_perf_daily_20251028.json.csv.gz",
    f"observed_columns/day={DAY}/observed_columns.ndjson.gz": (
        f"observed_columns/day={DAY}/observed_columns.2.ndjson.gz"
    ),
}


@pytest.mark.parametrize("is_ledger_lost", [False, True])
def test_a_part_copied_under_its_next_name_counts_once(
    is_ledger_lost: bool, root: Path
) -> None:
    write(
        root / "g/reports/query_perf.jsonl",
        f'{{"ts":"{DAY}T01:00:00Z","query":"select 1","duration_ms":3}}\n' * 2,
    )
    export(root)
    old = (root / LANDING / BEATS).read_bytes()
    beat = f"g/reports/ops_atomic/heartbeat_{DAY}_13-00-00.md"
    write(root / beat, heartbeat(f"{DAY}T13:00:00Z"))
    export(root)
    before, store = faults.published(root), faults.landed(root)
    for name, copy in TWICE.items():
        shutil.copy2(root / LANDING / name, root / LANDING / copy)
    (root / LANDING / TWICE[BEATS]).write_bytes(old)
    if is_ledger_lost:
        (root / LEDGER).unlink()
    done = export(root)
    assert faults.published(root) == before
    assert done.warnings.count("a copy: all of its records stand in another") == 2
    assert f"{TWICE[ROWS]}: damaged; set aside" in done.warnings
    assert f"never read: {list(TWICE.values())[-1]}" in done.warnings
    landed = faults.landed(root)
    assert {name: landed[name] for name in store} == store
    assert faults.are_datasets_valid(root)
    assert not faults.conservation(root)


OLD = f"superseded/query_rows/day={DAY}"


def supersede(root: Path) -> Path:
    """Let a content of a CSV be superseded; returns what is kept of it."""
    text = query_csv(DAY, 2).replace("SELECT", "INSERT")
    write(root / "g/reports/query_perf_daily_20251028.csv", text, 1761700000)
    export(root)
    [kept] = (root / LANDING / OLD).iterdir()
    return kept


def copy_old(root: Path, kept: Path) -> list[str]:
    """Leave copies of a superseded version; what of each is odd."""
    odd = {
        f"{OLD} copy/{kept.name}": f"{OLD} copy",
        f"superseded/query_rows copy/day={DAY}/{kept.name}": (
            "superseded/query_rows copy"
        ),
        f"superseded/query_rows/day=2025-02-30/{kept.name}": (
            "superseded/query_rows/day=2025-02-30"
        ),
        f"superseded/query_rows/day=2025-10-27/{kept.name}": (
            f"superseded/query_rows/day=2025-10-27/{kept.name}"
        ),
        f"{OLD}/copy of {kept.name}": f"{OLD}/copy of {kept.name}",
        f"{OLD}/{kept.name} 2.gz": f"{OLD}/{kept.name} 2.gz",
    }
    for name in odd:
        path = root / LANDING / name
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(kept, path)
    return list(odd)


@pytest.mark.parametrize("is_damaged", [False, True])
def test_copies_of_what_is_superseded_are_named_and_never_read(
    is_damaged: bool, root: Path
) -> None:
    kept = supersede(root)
    before = faults.published(root)
    copies = copy_old(root, kept)
    if is_damaged:
        for name in copies:
            path = root / LANDING / name
            data = bytearray(path.read_bytes())
            data[len(data) // 2] ^= 1
            path.write_bytes(data)
    store = faults.landed(root)
    for arguments in (["--force", "--date", DAY], ["--historical"], []):
        done = export(root, *arguments)
        assert "never read" in done.warnings
        for odd in ("query_rows copy", f"day={DAY} copy", "day=2025-02-30"):
            assert odd in done.warnings
        assert "damaged" not in done.warnings
        assert faults.landed(root) == store, "left where it lies"
    assert faults.contents(faults.published(root)) == faults.contents(before)
    assert faults.are_datasets_valid(root)


def test_a_break_on_no_day_is_forgotten(root: Path) -> None:
    """As an older version noted it of a copied folder."""
    with contextlib.closing(open_ledger(faults.as_root(root), dry_run=False)) as ledger:
        ledger.note_break("query_rows", f"{DAY} copy", Break(""))
        ledger.commit()
    export(root)
    assert faults.are_datasets_valid(root)


def pipe(path: Path) -> None:
    os.mkfifo(path)


def folder(path: Path) -> None:
    path.mkdir()
    (path / "kept").touch()


def device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def nowhere(path: Path) -> None:
    path.symlink_to("/nowhere")


def text(path: Path) -> None:
    path.write_text("in the way")


ODD = pytest.mark.parametrize("put", [pipe, folder, device, nowhere])


@ODD
@pytest.mark.parametrize("name", [BEATS, ROWS, "landed_days.csv"])
def test_what_is_no_file_where_one_should_be(
    name: str, put: Callable[[Path], None], root: Path
) -> None:
    store, before = faults.landed(root), faults.published(root)
    path = root / LANDING / name
    path.unlink()
    put(path)
    assert name in run("validate", root).errors
    seen_by_dbt(root)  # and nobody waits
    dry = run("export", root, "--dry-run")
    assert dry.code == 0, dry.errors
    assert f"{name}: not a regular file" in dry.warnings
    done = export(root)
    assert f"{name}: not a regular file" in done.warnings
    assert f"set aside as {path.name}.damaged" in done.warnings
    assert os.path.lexists(path.with_name(f"{path.name}.damaged"))
    shown = {n: d for n, d in faults.landed(root).items() if "damaged" not in n}
    assert shown == store
    assert faults.published(root) == before
    assert faults.are_datasets_valid(root)
    assert "regular" not in export(root).warnings


@pytest.mark.parametrize("put", [pipe, text])
@pytest.mark.parametrize("name", [f"heartbeats/day={DAY}", "query_rows"])
def test_what_is_no_folder_where_one_should_be(
    name: str, put: Callable[[Path], None], root: Path
) -> None:
    store = faults.landed(root)
    shutil.rmtree(root / LANDING / name)
    put(root / LANDING / name)
    done = export(root)
    assert f"{name}: not a regular" in done.warnings
    shown = {n: d for n, d in faults.landed(root).items() if "damaged" not in n}
    assert shown == store
    assert faults.are_datasets_valid(root)


@pytest.mark.parametrize("put", [pipe, folder, device])
@pytest.mark.parametrize("name", ["ledger.sqlite", "ledger.sqlite-journal"])
def test_what_is_no_file_where_the_ledger_should_be(
    name: str, put: Callable[[Path], None], root: Path
) -> None:
    before = faults.published(root)
    path = root / faults.STATE / name
    path.unlink(missing_ok=True)
    put(path)
    for command in (["export"], ["export", "--dry-run"], ["ingest"], ["validate"]):
        done = run(command[0], root, *command[1:])
        assert done.code == 1
        assert f"{name}: not a regular file: move it away" in done.errors
    assert faults.published(root) == before
    path.rename(path.with_name("aside"))
    export(root)
    assert faults.are_datasets_valid(root)
