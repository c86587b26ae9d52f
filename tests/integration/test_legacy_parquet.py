"""Parquet of another program at our paths is adopted, and nothing of it lost."""

from __future__ import annotations

import gc
import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

import duckdb
import pytest

from tests import faults
from tests.faults import export, run
from tests.support import SAMPLES, run_dbt

FIRST = "g/analytics/ops_atomic_20251027.parquet"
SECOND = "g/analytics/ops_atomic_20251028.parquet"
QUERIES = (
    "knowledge/optimize/parquet/query_perf/year=2025/month=10/"
    "query_perf_20251028.parquet"
)
COLUMNS = "filename, status, api_status, launchagent_digest, duration_ms"
ADOPTED = f"{faults.LANDING}/legacy_parquet"


def other_program(path: Path, sql: str) -> Path:
    """A Parquet file that the query of another program made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with duckdb.connect() as db:
        target = str(path).replace("'", "''")
        db.execute("set TimeZone = 'UTC'")
        db.execute(f"copy ({sql}) to '{target}' (format parquet)")
    return path


def beats(count: int, start: str = "2025-10-27 00:00:00") -> str:
    """So many heartbeats, each five minutes after the one before, as the system's
    first exporter wrote them."""
    return f"""
        select
            strftime(said_at, 'heartbeat_%Y-%m-%d_%H-%M-%S.md') as filename,
            'heartbeat' as report_type,
            strftime(said_at, '%Y-%m-%dT%H:%M:%S.000Z') as timestamp,
            '⚠️  WARNINGS' as status,
            7::bigint as duration_ms,
            'ok' as redis_status,
            'unknown' as database_status,
            'warn' as api_status,
            'loaded' as launchagent_optimizer,
            'loaded' as launchagent_digest,
        from (
            select timestamp '{start}' + to_minutes(5 * range) as said_at
            from range({count})
        )
        order by said_at
    """


def markdown(root: Path, names: Iterable[str]) -> None:
    for name in names:
        day, time = name.removesuffix(".md").split("_")[1:]
        text = faults.heartbeat(f"{day}T{time.replace('-', ':')}Z")
        faults.write(root / "g/reports/ops_atomic" / name, text)


def names(root: Path) -> Counter[str]:
    return Counter(name for (name,) in faults.rows(root, faults.BEATS, "filename"))


def kept(root: Path) -> dict[str, bytes]:
    found = sorted(root.rglob("*.legacy*"))
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in found}


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """A root with nothing but an outputs' folder."""
    root = tmp_path / "root"
    (root / "g/analytics").mkdir(parents=True)
    return root


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
    assert faults.is_valid(root)
    assert not export(root).paths("exported")


def test_of_725_rows_and_12_live_heartbeats_none_is_lost(bare: Path) -> None:
    other_program(bare / SECOND, beats(725, "2025-10-26 06:00:00"))
    original = (bare / SECOND).read_bytes()
    alive = [f"heartbeat_2025-10-28_01-{m:02}-00.md" for m in range(0, 60, 5)]
    markdown(bare, alive)
    done = export(bare)
    found = {row[0]: row[1:] for row in faults.rows(bare, faults.BEATS, COLUMNS)}
    assert len(found) == 725
    assert names(bare).most_common(1)[0][1] == 1
    assert {found.pop(name) for name in alive} == {("ok", None, None, 12)}
    assert set(found.values()) == {("warn", "warn", "ok", 7)}
    assert kept(bare) == {f"{SECOND}.legacy": original}
    assert f"{SECOND}: made by another program; adopted: 725 rows" in done.warnings
    assert faults.is_valid(bare)


def test_a_heartbeat_of_several_files_is_one_row(adopted: Path) -> None:
    assert len(names(adopted)) == 401
    assert set(names(adopted).values()) == {1}
    landed = (adopted / faults.LANDING / "landed_days.csv").read_text()
    assert "legacy_parquet,2025-10-27,ops_atomic,388," in landed
    assert faults.is_valid(adopted)
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


def test_later_markdown_takes_the_place_of_a_row(adopted: Path) -> None:
    name = "heartbeat_2025-10-28_02-00-00.md"
    markdown(adopted, [name])
    export(adopted)
    found = {row[0]: row[1] for row in faults.rows(adopted, faults.BEATS, COLUMNS)}
    assert found[name] == "ok"
    assert len(found) == 401
    assert faults.is_valid(adopted)


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
    assert faults.is_valid(adopted)


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
    assert faults.is_valid(root)


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
    assert faults.is_valid(adopted)


def test_what_is_adopted_is_not_read_again(adopted: Path) -> None:
    # In its new place the catalogue is made anew.
    assert not export(adopted).paths("exported")
    with mock.patch("duckdb.connect", side_effect=AssertionError("it is read")):
        assert not export(adopted).paths("exported")


def test_ingest_adopts_and_dbt_publishes(bare: Path, tmp_path: Path) -> None:
    other_program(bare / SECOND, beats(300))
    original = (bare / SECOND).read_bytes()
    markdown(bare, ["heartbeat_2025-10-28_00-00-00.md"])
    done = run_dbt(bare, tmp_path, "build")
    assert done.returncode == 0, done.stdout[-3000:]
    assert f"{SECOND}: made by another program" in done.stdout
    assert "left alone until it is adopted: run " in done.stdout
    assert (bare / SECOND).read_bytes() == original
    invalid = run("validate", bare)
    assert f"{SECOND}: made by another program" in invalid.errors

    assert run("ingest", bare).code == 0
    assert kept(bare) == {f"{SECOND}.legacy": original}
    done = run_dbt(bare, tmp_path, "build")
    assert done.returncode == 0, done.stdout[-3000:]
    assert len(names(bare)) == 300
    assert faults.is_valid(bare)


def test_a_dry_run_says_what_it_would_adopt(bare: Path) -> None:
    other_program(bare / SECOND, beats(300))
    before = faults.everything_raw(bare)
    done = export(bare, "--dry-run")
    assert f"{SECOND}: made by another program; would be adopted: 300 rows" in (
        done.warnings
    )
    assert {FIRST, SECOND} <= done.paths("would_export")
    assert "are gone" not in done.warnings
    assert faults.everything_raw(bare) == before


def test_a_row_that_cannot_be_typed_is_a_reject(bare: Path) -> None:
    other_program(
        bare / SECOND,
        """
        select * from (
            values
            ('heartbeat_2025-10-28_01-00-00.md', '2025-10-28T08:00+07:00', 'ok', '5'),
            ('heartbeat_2025-10-28_02-00-00.md', null, '❌ CRITICAL', '5.0'),
            ('heartbeat_2025-10-28_03-00-00.md', 'soon', 'HEALTHY', 'long'),
            (null, '2025-10-28 04:00:00', 'HEALTHY', '5'),
            ('x.md', 'soon', 'HEALTHY', '5'),
            ('y.md', '2199-10-28 04:00:00', 'HEALTHY', '5'),
            ('z.md', '2025-10-28 04:00:00', null, 'password=hunter2')
        ) as rows ("FileName", timestamp, status, duration_ms)
        """,
    )  # fmt: skip
    export(bare)
    found = faults.rows(bare, faults.BEATS, "filename, timestamp::varchar, status")
    assert sorted(found) == [
        ("heartbeat_2025-10-28_01-00-00.md", "2025-10-28 01:00:00", "ok"),
        ("heartbeat_2025-10-28_02-00-00.md", "2025-10-28 02:00:00", "error"),
    ]
    rejects = faults.rows(bare, faults.REJECTS, "line_number, reason, source_file")
    assert sorted(rejects) == [
        (3, "duration_ms is not a BIGINT", Path(SECOND).name),
        (4, "filename is empty", Path(SECOND).name),
        (5, "timestamp is not a time", Path(SECOND).name),
        (6, "dated more than a day ahead", Path(SECOND).name),
        (7, "status is empty", Path(SECOND).name),
    ]
    assert b"hunter2" not in b"".join(faults.everything(bare / faults.STATE).values())
    assert faults.is_valid(bare)


def test_rows_of_other_datasets_are_kept_as_rejects(bare: Path) -> None:
    sql = "select range as query_hash, 1.5 as execution_time_ms from range(3)"
    checks = "g/analytics/heartbeat_checks/heartbeat_checks_20251028.parquet"
    other_program(bare / QUERIES, sql)
    other_program(bare / checks, sql)
    originals = (bare / QUERIES).read_bytes(), (bare / checks).read_bytes()
    export(bare)
    assert kept(bare) == {
        f"{QUERIES}.legacy": originals[0], f"{checks}.legacy": originals[1]
    }  # fmt: skip
    rejects = faults.rows(bare, faults.REJECTS, "dataset, reason, raw")
    reason = "of another program's rows only those of ops_atomic are adopted"
    raw = '{"query_hash": "2", "execution_time_ms": "1.5"}'
    assert Counter(row[:2] for row in rejects) == {
        ("query_perf", reason): 3, ("heartbeat_checks", reason): 3
    }  # fmt: skip
    assert ("query_perf", reason, raw) in rejects
    assert faults.is_valid(bare)


def test_ours_that_another_program_wrote_over(root: Path) -> None:
    """The landing makes the day again, with what that program said besides."""
    path = root / faults.BEATS.replace("*", "20251027")
    ours = len(faults.rows(root, faults.BEATS))
    other_program(path, beats(2, "2025-10-27 00:00:01"))
    assert run("validate", root).code == 1
    export(root)
    assert len(faults.rows(root, faults.BEATS)) == ours + 2
    assert len(kept(root)) == 1
    assert faults.is_valid(root)


def test_what_nobody_can_read_is_called_so(bare: Path) -> None:
    (bare / SECOND).write_bytes(b"PAR1 nothing PAR1")
    markdown(bare, ["heartbeat_2025-10-28_00-00-00.md"])
    done = export(bare)
    assert f"{SECOND}: not readable as Parquet; set aside as" in done.warnings
    aside = bare / f"{SECOND}.damaged"
    assert aside.read_bytes() == b"PAR1 nothing PAR1"
    assert not kept(bare)
    assert len(names(bare)) == 1
    assert faults.is_valid(bare)
