"""Parquet of another program at our paths is adopted, and nothing of it lost."""

from __future__ import annotations

import gc
import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

import pytest

from tests import faults
from tests.faults import export_datasets as export
from tests.faults import run
from tests.other_program import (
    FIRST,
    SECOND,
    beats,
    kept,
    markdown,
    names,
    other_program,
)
from tests.support import SAMPLES, run_dbt

COLUMNS = "filename, status, api_status, launchagent_digest, duration_ms"
ADOPTED = f"{faults.LANDING}/legacy_parquet"


@pytest.fixture(scope="module")
def adopted_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A root with two cumulative files, after an export: to be copied only."""
    root = tmp_path_factory.mktemp("once") / "root"
    other_program(root / FIRST, beats(100))
    other_program(root / SECOND, beats(400))
    markdown(root, [f"heartbeat_2025-10-27_00-{m:02}-00.md" for m in (0, 5, 10, 3)])
    (root / "before").mkdir()
    for path in (FIRST, SECOND):
        shutil.copy2(root / path, root / "before" / f"{Path(path).name}.copy")
    export(root)
    return root


@pytest.fixture
def adopted(adopted_once: Path, tmp_path: Path) -> Path:
    return faults.copy(adopted_once, tmp_path / "adopted")


def test_the_recorded_files(tmp_path: Path) -> None:
    recorded = SAMPLES.with_name("samples_more") / "g/analytics"
    if not recorded.is_dir():
        pytest.skip("the recorded samples are not part of the project")
    root = tmp_path / "root"
    shutil.copytree(recorded, root / "g/analytics")
    before = {path.name: path.read_bytes() for path in recorded.iterdir()}
    export(root)
    found = faults.rows(root, faults.BEATS)
    assert len(found) == len(names(root)) == 296
    assert Counter(row[3] for row in found) == {"ok": 262, "warn": 34}
    agents = faults.rows(root, faults.BEATS, "launchagent_optimizer, redis_status")
    assert set(agents) == {("ok", "ok")}
    first = min(faults.rows(root, faults.BEATS, "timestamp::varchar, date_partition"))
    assert first[0] == "2025-10-27 19:08:37.835"
    assert str(first[1]) == "2025-10-27"
    assert {f"{path.split('/')[-1]}": data for path, data in kept(root).items()} == {
        f"{name}.legacy": data for name, data in before.items()
    }
    assert not faults.rows(root, faults.REJECTS)
    assert faults.are_datasets_valid(root)
    assert not export(root).paths("exported")


def test_of_725_rows_and_12_live_heartbeats_none_is_lost(empty_root: Path) -> None:
    other_program(empty_root / SECOND, beats(725, "2025-10-26 06:00:00"))
    original = (empty_root / SECOND).read_bytes()
    alive = [f"heartbeat_2025-10-28_01-{m:02}-00.md" for m in range(0, 60, 5)]
    markdown(empty_root, alive)
    done = export(empty_root)
    found = {row[0]: row[1:] for row in faults.rows(empty_root, faults.BEATS, COLUMNS)}
    assert len(found) == 725
    assert names(empty_root).most_common(1)[0][1] == 1
    assert {found.pop(name) for name in alive} == {("ok", None, None, 12)}
    assert set(found.values()) == {("warn", "warn", "ok", 7)}
    assert kept(empty_root) == {f"{SECOND}.legacy": original}
    assert f"{SECOND}: made by another program; adopted: 725 rows" in done.warnings
    assert faults.are_datasets_valid(empty_root)


def test_a_heartbeat_of_several_files_is_one_row(adopted: Path) -> None:
    assert len(names(adopted)) == 401
    assert set(names(adopted).values()) == {1}
    landed = (adopted / faults.LANDING / "landed_days.csv").read_text()
    assert "legacy_parquet,2025-10-27,ops_atomic,388," in landed
    assert faults.are_datasets_valid(adopted)
    days = faults.rows(adopted, faults.BEATS, "timestamp::date = date_partition")
    assert set(days) == {(True,)}
    assert not faults.rows(adopted, faults.CHECKS, "filename")[4:], "of Markdown only"


def test_plain_dbt_finds_every_record_accounted_for(
    adopted: Path, tmp_path: Path
) -> None:
    before = faults.published(adopted)
    done = run_dbt(adopted, tmp_path, "build")
    assert done.returncode == 0, done.stdout[-3000:]
    assert faults.published(adopted) == before


@pytest.mark.parametrize("end", ["md", "json"])
def test_a_later_heartbeat_takes_the_place_of_a_row(end: str, adopted: Path) -> None:
    name = f"heartbeat_2025-10-28_02-00-00.{end}"
    if end == "md":
        markdown(adopted, [name])
    else:
        said = '{"timestamp":"2025-10-28T02:00:00Z","status":"ok","checks":[]}'
        faults.write(adopted / "g/reports/ops_atomic" / name, said)
    export(adopted)
    found = {row[0]: row[1] for row in faults.rows(adopted, faults.BEATS, COLUMNS)}
    assert found[name] == "ok"
    assert len(found) == 401
    assert faults.are_datasets_valid(adopted)


def test_the_same_bytes_once_more_change_nothing(adopted: Path) -> None:
    """The other program is still at work."""
    store, before = faults.landed(adopted), kept(adopted)
    published = faults.contents(faults.published(adopted))
    shutil.copy2(adopted / "before" / f"{Path(SECOND).name}.copy", adopted / SECOND)
    export(adopted)
    assert faults.contents(faults.published(adopted)) == published
    assert faults.landed(adopted) == store
    assert kept(adopted) == before


def test_what_is_kept_already_is_never_overwritten(adopted: Path) -> None:
    before = kept(adopted)
    other_program(adopted / SECOND, beats(410))
    more = (adopted / SECOND).read_bytes()
    export(adopted)
    assert len(names(adopted)) == 411
    third = SECOND.replace(".parquet", ".parquet.2.legacy")
    assert kept(adopted) == {**before, third: more}
    assert faults.are_datasets_valid(adopted)


class Killed(BaseException):
    """Nothing that is caught on its way."""


@contextmanager
def killed_at(step: str) -> Iterator[None]:
    """The process ends at one of the steps between landing and publishing."""
    replace = os.replace

    def ends(source: str | Path, target: str | Path) -> None:
        is_keeping = str(target).endswith(".legacy")
        if is_keeping and step == "before the renaming":
            raise Killed
        replace(source, target)
        is_landing = "legacy_parquet" in str(target)
        if is_keeping and step == "after the renaming":
            raise Killed
        if is_landing and step == "while rows are landed":
            raise Killed

    with mock.patch("os.replace", ends), pytest.raises(Killed):
        yield


@pytest.mark.parametrize(
    "step", ["while rows are landed", "before the renaming", "after the renaming"]
)
def test_a_kill_loses_nothing_and_adopts_once(
    step: str, adopted: Path, tmp_path: Path
) -> None:
    root = tmp_path / "killed"
    for path in (FIRST, SECOND):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(adopted / "before" / f"{Path(path).name}.copy", root / path)
    shutil.copytree(adopted / "g/reports/ops_atomic", root / "g/reports/ops_atomic")
    with killed_at(step):
        run("ingest", root)
    gc.collect()  # a process that is killed holds the ledger no more
    export(root)
    assert kept(root) == kept(adopted)
    assert faults.landed(root) == faults.landed(adopted)
    assert faults.contents(faults.published(root)) == faults.contents(
        faults.published(adopted)
    )
    assert faults.are_datasets_valid(root)


def lose_landed_rows(root: Path) -> None:
    shutil.rmtree(root / ADOPTED)


def lose_a_day(root: Path) -> None:
    shutil.rmtree(root / ADOPTED / "day=2025-10-27")


def lose_the_state(root: Path) -> None:
    shutil.rmtree(root / faults.STATE)


def lose_the_ledger(root: Path) -> None:
    (root / faults.LEDGER).unlink()


def lose_nothing(_: Path) -> None:
    """Everything is read once more all the same."""


@pytest.mark.parametrize(
    ("lose", "command"),
    [
        (lose_landed_rows, ["export"]),
        (lose_a_day, ["ingest"]),
        (lose_the_state, ["export"]),
        (lose_the_ledger, ["export"]),
        (lose_nothing, ["export", "--historical"]),
    ],
)
def test_a_lost_landing_is_read_again(
    lose: Callable[[Path], None], command: list[str], adopted: Path
) -> None:
    store = faults.landed(adopted)
    before = faults.contents(faults.published(adopted)), kept(adopted)
    lose(adopted)
    assert run(command[0], adopted, *command[1:]).code == 0
    assert faults.landed(adopted) == store
    export(adopted)
    assert (faults.contents(faults.published(adopted)), kept(adopted)) == before
    assert faults.are_datasets_valid(adopted)


def test_what_is_adopted_is_not_read_again(adopted: Path) -> None:
    # In its new place the catalogue is made anew.
    assert not export(adopted).paths("exported")
    with mock.patch("duckdb.connect", side_effect=AssertionError("it is read")):
        assert not export(adopted).paths("exported")


def test_ingest_adopts_and_dbt_publishes(empty_root: Path, tmp_path: Path) -> None:
    other_program(empty_root / SECOND, beats(300))
    original = (empty_root / SECOND).read_bytes()
    markdown(empty_root, ["heartbeat_2025-10-28_00-00-00.md"])
    done = run_dbt(empty_root, tmp_path, "build")
    assert done.returncode == 0, done.stdout[-3000:]
    assert f"{SECOND}: made by another program" in done.stdout
    assert "left alone until it is adopted: run " in done.stdout
    assert (empty_root / SECOND).read_bytes() == original
    invalid = run("validate", empty_root)
    assert f"{SECOND}: made by another program" in invalid.errors

    assert run("ingest", empty_root).code == 0
    assert kept(empty_root) == {f"{SECOND}.legacy": original}
    done = run_dbt(empty_root, tmp_path, "build")
    assert done.returncode == 0, done.stdout[-3000:]
    assert len(names(empty_root)) == 300
    assert faults.are_datasets_valid(empty_root)


def test_a_dry_run_says_what_it_would_adopt(empty_root: Path) -> None:
    other_program(empty_root / SECOND, beats(300))
    before = faults.everything_raw(empty_root)
    done = export(empty_root, "--dry-run")
    assert f"{SECOND}: made by another program; would be adopted: 300 rows" in (
        done.warnings
    )
    assert {FIRST, SECOND} <= done.paths("would_export")
    assert "are gone" not in done.warnings
    assert faults.everything_raw(empty_root) == before
