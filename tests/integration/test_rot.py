"""A bit that flips in the landing and leaves no trace is found before it does harm."""

from __future__ import annotations

import os
import tarfile
from pathlib import Path

import pytest

from ingest.store.landing import Landing, RottenPart
from tests import faults, support
from tests.faults import LANDING, heartbeat, run, write
from tests.faults import export_datasets as export

DAY = "2025-10-28"
REPORTS = "g/reports"
BEATS = "g/analytics/ops_atomic_20251028.parquet"
MODIFIED = 1_761_700_000


def flip_unseen(path: Path, at: float = 0.5) -> None:
    """Flip a bit at a place between start (0) and end (1) of a file."""
    look = path.stat()
    data = bytearray(path.read_bytes())
    data[int(at * (len(data) - 1))] ^= 16
    path.write_bytes(data)
    os.utime(path, ns=(look.st_atime_ns, look.st_mtime_ns))


def parts_of(root: Path, day: str = DAY) -> list[Path]:
    return sorted((root / LANDING).glob(f"*/day={day}/*.gz"))


def more_of_the_day(root: Path) -> None:
    """One more record of each source of the day."""
    write(
        root / f"{REPORTS}/ops_atomic/heartbeat_{DAY}_13-00-00.md",
        heartbeat(f"{DAY}T13:00:00Z"),
        MODIFIED,
    )
    for name, line in (
        ("g/telemetry/rollup_daily.ndjson", '{"ts":"%sT01:00:00Z","metric":"m"}'),
        (f"{REPORTS}/query_perf.jsonl", '{"ts":"%sT01:00:00Z","query":"q"}'),
        (f"{REPORTS}/optimization_summary_20251028_b.txt", "[%sT01:00:00Z] e a=1"),
        (f"{REPORTS}/query_perf_daily_20251028.csv", "%sT01:00:00Z,h,S,1,1,1,true,t,i"),
    ):
        path = root / name
        modified = int(path.stat().st_mtime) + 1 if path.exists() else MODIFIED
        with path.open("a", encoding="utf-8") as stream:
            stream.write(line % DAY + "\n")
        os.utime(path, (modified, modified))
    report = f'{{"timestamp":"{DAY}T02:00:00Z","recommendations":[],"slow_queries":[]}}'
    member = tarfile.TarInfo("index_advisor_report.json")
    bundle = root / f"{REPORTS}/archive/reports_20251029_000000.tar.gz"
    faults.make_bundle(bundle, [(member, report.encode())])


@pytest.mark.parametrize("at", [0.0, 0.3, 0.6, 1.0])
def test_a_day_that_gets_new_data(at: float, root: Path, tmp_path: Path) -> None:
    whole = faults.copy(root, tmp_path / "whole")
    more_of_the_day(whole)
    export(whole)
    for part in parts_of(root):
        flip_unseen(part, at)
    hurt = [part.relative_to(root).as_posix() for part in parts_of(root)]
    more_of_the_day(root)
    done = export(root)
    for name in hurt:
        assert f"{name}: damaged; set aside as {Path(name).name}.damaged" in (
            done.warnings
        )
    landed = {n: d for n, d in faults.landed(root).items() if "damaged" not in n}
    assert landed == faults.landed(whole)
    assert faults.contents(faults.published(root)) == faults.contents(
        faults.published(whole)
    )
    assert faults.are_datasets_valid(root)
    assert "damaged" not in export(root).warnings, "it is told once"


def test_a_day_whose_inputs_are_gone_keeps_its_rows(root: Path) -> None:
    before = faults.rows(root, BEATS)
    for name in faults.inputs(root):
        if "heartbeat_2025-10-28" in name:
            (root / name).unlink()
    part = root / LANDING / f"heartbeats/day={DAY}/heartbeats.ndjson.gz"
    flip_unseen(part)
    rotten = part.read_bytes()
    more_of_the_day(root)
    done = export(root)
    assert "ops_atomic_20251028.parquet: " in done.warnings
    assert "row(s) are kept that the landing no longer holds" in done.warnings
    assert part.with_name(f"{part.name}.damaged").read_bytes() == rotten
    after = faults.rows(root, BEATS)
    assert set(before) < set(after), "and what is new stands beside them"
    assert faults.are_datasets_valid(root)
    assert "optimization_summary" in " ".join(done.paths("exported"))


@pytest.mark.parametrize("is_gone", [False, True])
def test_a_day_that_is_published_again(is_gone: bool, root: Path) -> None:
    """Nothing new has come, but its file was lost: dbt reads what is damaged."""
    before = faults.contents(faults.published(root))
    lost = "g/analytics/ops_atomic_20251028.parquet"
    (root / lost).unlink()
    (root / lost.replace("28", "27")).unlink()
    part = root / LANDING / f"heartbeats/day={DAY}/heartbeats.ndjson.gz"
    flip_unseen(part)
    if is_gone:
        for name in faults.inputs(root):
            if "heartbeat_2025-10-28" in name:
                (root / name).unlink()
    done = export(root)
    assert f"{part.name}: damaged; set aside" in done.warnings
    after = faults.contents(faults.published(root))
    if is_gone:
        del before[lost]
    assert {n: after.get(n) for n in before} == before


def test_a_dry_run_tells_and_touches_nothing(root: Path) -> None:
    for part in parts_of(root):
        flip_unseen(part)
    more_of_the_day(root)
    before = faults.everything_raw(root)
    done = export(root, "--dry-run")
    assert "heartbeats.ndjson.gz: damaged; its inputs" in done.warnings
    assert DAY in done.days("would_export")
    assert faults.everything_raw(root) == before


def test_rot_that_nobody_reads_is_found_by_those_who_look(root: Path) -> None:
    store = faults.landed(root)
    parts = parts_of(root)
    for part in parts:
        flip_unseen(part)
    assert "damaged" not in export(root).warnings
    said = run("validate", root).errors
    for part in parts:
        assert f"{part.relative_to(root)}: damaged landing file" in said
    done = export(root, "--historical")
    assert done.warnings.count("damaged; set aside") == len(parts)
    landed = {n: d for n, d in faults.landed(root).items() if "damaged" not in n}
    assert landed == store
    assert faults.are_datasets_valid(root)


def test_a_disk_that_reads_another_way_each_time(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It ends, with the name of what cannot be read."""

    def never(_landing: object, path: Path) -> None:
        raise RottenPart(path)

    more_of_the_day(root)
    before = faults.published(root)
    with monkeypatch.context() as patched:
        patched.setattr(Landing, "_prove", never)
        done = run("export", root)
    assert done.code == 1
    assert "ndjson.gz: reads another way each time" in done.errors
    assert faults.published(root) == before
    export(root)
    assert faults.are_datasets_valid(root)


def test_plain_dbt_makes_nothing_from_a_part_that_rotted(
    root: Path, tmp_path: Path
) -> None:
    before = faults.contents(faults.published(root))
    (part,) = [path for path in parts_of(root) if "/query_rows/" in str(path)]
    flip_unseen(part, 1.0)
    (gone,) = [name for name in before if name.endswith("/query_perf_20251028.parquet")]
    (root / gone).unlink()
    support.run_dbt(root, tmp_path / "scratch", "run --select query_perf")
    assert gone not in faults.published(root)
    assert part.with_name(f"{part.name}.damaged").exists()
    export(root)
    assert faults.contents(faults.published(root)) == before
