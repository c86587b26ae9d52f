"""What the operations guide says of Restore, word by word."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path

import pytest

from tests import faults
from tests.faults import LANDING, LEDGER, export, heartbeat, query_csv, write

REPORTS = "g/reports"
EACH_WAY = pytest.mark.parametrize("arguments", [[], ["--historical"]])


def append(path: Path, text: str) -> None:
    with path.open("a", encoding="utf-8") as stream:
        stream.write(text)


def a_day_later(root: Path) -> None:
    """More of every input: on days that are landed already, and on a new one."""
    for day in ("2025-10-27", "2025-10-30"):
        write(
            root / f"{REPORTS}/ops_atomic/heartbeat_{day}_13-00-00.md",
            heartbeat(f"{day}T13:00:00Z"),
        )
        append(
            root / f"{REPORTS}/query_perf.jsonl",
            f'{{"ts":"{day}T01:00:00Z","query":"select 1","duration_ms":3}}\n'
            '{"query":"no time","duration_ms":1}\n',
        )
        append(
            root / "g/telemetry/rollup_daily.ndjson",
            f'{{"ts":"{day}T01:00:00Z","metric":"later","value":1}}\n',
        )
    more = query_csv("2025-10-28", 5).removeprefix(faults.HEADER)
    append(root / f"{REPORTS}/query_perf_daily_20251028.csv", more)
    write(root / f"{REPORTS}/query_perf_daily_20251030.csv", query_csv("2025-10-30", 9))
    write(root / f"{REPORTS}/optimization_summary_20251030.txt", "Rows saved: 3\n")
    write(
        root / f"{REPORTS}/index_advisor_report.json",
        '{"timestamp":"2025-10-30T02:00:00Z","recommendations":'
        '[{"table":"t","index":"i","query_pattern":"q","estimated_speedup":2,'
        '"priority":"high"}],"slow_queries":[]}',
    )
    # A heartbeat that nobody has seen before it was rotated away.
    late = f"{REPORTS}/ops_atomic/heartbeat_2025-10-26_23-00-00.md"
    write(root / late, heartbeat("2025-10-26T23:00:00Z"))
    faults.rotate(root, [late], "20251030_120000")


class Kept:
    """A root after a later day, and its landing and ledger from before."""

    def __init__(self, root: Path, backup: Path) -> None:
        self.root = root
        self.backup = backup
        self.landed = faults.landed(root)
        self.published = faults.published(root)
        folders = {Path(path).parent for path in self.published}
        patterns = [str(folder / "*.parquet") for folder in folders]
        self.rows = {each: faults.rows(root, each) for each in patterns}

    def put_landing_back(self) -> None:
        shutil.rmtree(self.root / LANDING)
        shutil.copytree(self.backup / LANDING, self.root / LANDING)

    def lose_published_files(self) -> None:
        for path in self.published:
            (self.root / path).unlink()

    def assert_all_is_back(self) -> None:
        assert faults.landed(self.root) == self.landed
        assert faults.contents(faults.published(self.root)) == faults.contents(
            self.published
        )
        assert faults.is_valid(self.root)
        assert not faults.conservation(self.root)
        assert not export(self.root).paths("exported")


@pytest.fixture(scope="module")
def later_once(exported_once: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example after a later day: to be copied, not touched."""
    root = faults.copy(exported_once, tmp_path_factory.mktemp("later") / "02luka")
    a_day_later(root)
    export(root)
    return root


@pytest.fixture
def kept(later_once: Path, exported_once: Path, tmp_path: Path) -> Kept:
    return Kept(faults.copy(later_once, tmp_path / "later"), exported_once)


@EACH_WAY
def test_published_files_lost(kept: Kept, arguments: list[str]) -> None:
    kept.lose_published_files()
    export(kept.root, *arguments)
    kept.assert_all_is_back()


@EACH_WAY
def test_the_ledger_lost(kept: Kept, arguments: list[str]) -> None:
    (kept.root / LEDGER).unlink()
    assert not export(kept.root, *arguments).paths("exported")
    kept.assert_all_is_back()


@EACH_WAY
def test_an_older_landing_put_back_beside_a_newer_ledger(
    kept: Kept, arguments: list[str]
) -> None:
    kept.put_landing_back()
    done = export(kept.root, *arguments)
    assert not done.paths("exported"), "what inputs still hold was read again first"
    assert faults.published(kept.root) == kept.published
    kept.assert_all_is_back()


@EACH_WAY
def test_an_older_landing_put_back_and_the_ledger_lost(
    kept: Kept, arguments: list[str]
) -> None:
    kept.put_landing_back()
    (kept.root / LEDGER).unlink()
    assert not export(kept.root, *arguments).paths("exported")
    kept.assert_all_is_back()


@EACH_WAY
def test_landing_and_published_files_lost(kept: Kept, arguments: list[str]) -> None:
    kept.put_landing_back()
    kept.lose_published_files()
    export(kept.root, *arguments)
    kept.assert_all_is_back()


@EACH_WAY
def test_a_newer_landing_beside_an_older_ledger(
    kept: Kept, arguments: list[str]
) -> None:
    shutil.copy2(kept.backup / LEDGER, kept.root / LEDGER)
    assert not export(kept.root, *arguments).paths("exported")
    kept.assert_all_is_back()


@EACH_WAY
def test_one_part_put_back_older(kept: Kept, arguments: list[str]) -> None:
    """A part of each source, and the names of heartbeats that it does not hold."""
    for old in sorted((kept.backup / LANDING).rglob("day=2025-10-27/*.gz")):
        shutil.copyfile(old, kept.root / old.relative_to(kept.backup))
    assert not export(kept.root, *arguments).paths("exported")
    kept.assert_all_is_back()


@EACH_WAY
def test_what_no_input_holds_any_more_stays_published(
    kept: Kept, arguments: list[str]
) -> None:
    gone = [
        f"{REPORTS}/query_perf_daily_20251028.csv",
        f"{REPORTS}/ops_atomic/heartbeat_2025-10-27_13-00-00.md",
    ]
    for name in gone:
        (kept.root / name).unlink()
    kept.put_landing_back()
    done = export(kept.root, *arguments)
    beats = "ops_atomic_20251027.parquet"
    assert f"{beats}: 1 row(s) are kept that the landing no longer" in done.warnings
    assert "query_perf_20251028.parquet: the rows of" in done.warnings
    for pattern in {str(Path(path).parent / "*.parquet") for path in kept.published}:
        assert Counter(faults.rows(kept.root, pattern)) == Counter(kept.rows[pattern])
    assert faults.is_valid(kept.root)
    assert not export(kept.root).paths("exported")


def test_an_old_heartbeat_that_was_half_written_in_the_backup(
    root: Path, tmp_path: Path
) -> None:
    """Its name is landed in the backup, but not all of it."""
    name = f"{REPORTS}/ops_atomic/heartbeat_2025-10-27_13-00-00.md"
    whole = heartbeat("2025-10-27T13:00:00Z")
    write(root / name, whole[:60])
    export(root)
    shutil.copytree(root / LANDING, tmp_path / "backup")
    write(root / name, whole)
    export(root, "--historical")
    wanted = faults.landed(root), faults.contents(faults.published(root))
    for is_ledger_lost in (False, True):
        shutil.rmtree(root / LANDING)
        shutil.copytree(tmp_path / "backup", root / LANDING)
        if is_ledger_lost:
            (root / LEDGER).unlink()
        export(root)
        assert (
            faults.landed(root), faults.contents(faults.published(root))
        ) == wanted  # fmt: skip
