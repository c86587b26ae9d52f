"""The marts as every run publishes them."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from exporter.contracts.datasets import load_datasets
from exporter.contracts.marts import Mart, load_marts
from exporter.publish.published import read_footers
from ingest.root import EXAMPLE_ROOT, Root
from tests import faults
from tests.marts import Marts
from tests.support import copy_root, run_dbt

NOW = datetime(2025, 10, 29, 23, 57, 30)
MARTS = load_marts()
FOLDER = "g/analytics/marts"
# What they say of runs is new with each run.
OF_RUNS = ("export_runs", "run_reliability")


@pytest.fixture(autouse=True)
def _fixed_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPS_ATOMIC_AS_OF", f"{NOW.isoformat()}Z")
    monkeypatch.setenv("OPS_ATOMIC_MACHINE", "m")


@pytest.fixture(scope="module")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example after a run at that moment: to be copied, not touched."""
    root = copy_root(EXAMPLE_ROOT, tmp_path_factory.mktemp("marts") / "02luka")
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("OPS_ATOMIC_AS_OF", f"{NOW.isoformat()}Z")
        patched.setenv("OPS_ATOMIC_MACHINE", "m")
        faults.export(root)
    return root


@pytest.fixture
def root(made_once: Path, tmp_path: Path) -> Path:
    return faults.copy(made_once, tmp_path / "root")


def files(root: Path) -> faults.Snapshot:
    """Bytes and time of every file of the marts, by path below their folder."""
    top = root / FOLDER
    return {
        path.relative_to(top).as_posix(): (path.read_bytes(), path.stat().st_mtime_ns)
        for path in sorted(top.rglob("*.parquet"))
    }


def made(done: faults.Run, status: str = "exported") -> set[str]:
    """What became of the marts in a run, by path below their folder."""
    return {
        file["path"].removeprefix(f"{FOLDER}/")
        for file in done.report["files"]
        if file["status"] == status and file["dataset"] in MARTS
    }


SINGLES = {f"{name}.parquet" for name, mart in MARTS.items() if not mart.is_daily}


def of_day(day: str, *names: str) -> set[str]:
    return {f"{name}/{name}_{day}.parquet" for name in names}


def rows_of(root: Path, mart: Mart) -> list[tuple[object, ...]]:
    pattern = str(root / mart.glob)
    with duckdb.connect() as db:
        query = f"select * from read_parquet('{pattern}', hive_partitioning = false)"
        return sorted(db.execute(query).fetchall(), key=repr)


def test_what_is_published_is_what_the_queries_say_of_all_exports(root: Path) -> None:
    """Made day by day from a few files, a mart is what one query makes of all."""
    whole = Marts(NOW)
    for name, dataset in load_datasets().items():
        if any(root.glob(dataset.glob)):
            whole.db.execute(
                f"insert into all_{name} by name from read_parquet("
                f"'{root / dataset.glob}', hive_partitioning = false)"
            )
    for name, mart in MARTS.items():
        expected = whole.db.execute(f"from {whole.view(name)}").fetchall()
        assert rows_of(root, mart) == sorted(expected, key=repr), name
        if name not in ("metric_forecast", "forecast_backtest", *OF_RUNS):
            assert expected, name


def test_every_mart_has_its_files_under_its_contract(root: Path) -> None:
    for name, mart in MARTS.items():
        days = [date(2025, 10, day) for day in (27, 28, 29)]
        paths = [mart.file(day) for day in days] if mart.is_daily else [mart.path]
        footers = read_footers(Root(root), paths)
        assert footers.keys() == {*paths}, name
        for footer in footers.values():
            assert footer.shape == mart.shape or not footer.row_count
            assert footer.metadata["model_fingerprint"] == mart.model_fingerprint
            assert int(footer.metadata["landed_records"]) >= 0
    assert faults.is_valid(root)


def test_in_an_empty_root_all_that_are_one_file_are_there(empty_root: Path) -> None:
    faults.export(empty_root)
    assert files(empty_root).keys() == SINGLES
    assert made(faults.export(empty_root), "skipped") == SINGLES
    sources = rows_of(empty_root, MARTS["dataset_freshness"])
    assert sources
    assert {row[-1] for row in sources} == {"never seen"}


def test_a_rerun_changes_nothing_and_force_makes_the_same_bytes(root: Path) -> None:
    before = files(root)
    assert made(faults.export(root), "skipped") == before.keys()
    assert files(root) == before
    assert made(faults.export(root, "--force")) == before.keys()
    after = files(root)
    assert faults.changed(before, after) == before.keys()
    for name, (content, _) in after.items():
        if name.removesuffix(".parquet") not in OF_RUNS:
            assert content == before[name][0], name


def test_a_late_heartbeat_makes_those_days_again_that_read_it(root: Path) -> None:
    before = files(root)
    faults.write(
        root / "g/reports/ops_atomic/heartbeat_2025-10-28_18-00-00.md",
        faults.heartbeat("2025-10-28T18:00:00Z"),
    )
    done = faults.export(root, "--historical")
    again = {
        *of_day("20251028", "check_states", "uptime_daily"),
        *of_day("20251028", "storage_daily", "data_quality_daily"),
        # A check seen then may count on the next day.
        *of_day("20251029", "check_states"),
    }
    daily = {name for name in made(done) if "/" in name}
    assert daily - of_day("20251029", "uptime_daily") == again
    assert faults.changed(before, files(root)) == made(done)
    assert made(done) >= {"incidents.parquet", "slo_status.parquet"}
    assert "query_regressions.parquet" not in made(done)


def test_the_next_day_ends_the_last_one(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the day before said of a part of itself is said of all of it."""
    later = NOW + timedelta(days=1)
    monkeypatch.setenv("OPS_ATOMIC_AS_OF", later.isoformat())
    done = faults.export(root)
    assert not done.paths("exported")
    daily = [name for name, mart in MARTS.items() if mart.is_daily]
    assert made(done) == SINGLES | of_day("20251029", *daily)
    [(ended,)] = faults.rows(
        root, f"{FOLDER}/check_states/*_20251029.parquet", "max(ended_at)"
    )
    assert ended == datetime(2025, 10, 30)
    monkeypatch.setenv("OPS_ATOMIC_AS_OF", (later + timedelta(days=1)).isoformat())
    assert made(faults.export(root)) == SINGLES


def test_what_is_later_than_the_present_moment_is_not_there(
    example_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPS_ATOMIC_AS_OF", "2025-10-28T12:00:00Z")
    done = faults.export(example_root)
    assert "OPS_ATOMIC_AS_OF is set" in done.warnings
    assert not [name for name in made(done) if "20251029" in name]
    [(heard, ended)] = faults.rows(
        example_root, f"{FOLDER}/check_states/*.parquet",
        "max(last_heartbeat_at), max(ended_at)",
    )  # fmt: skip
    assert heard <= ended == datetime(2025, 10, 28, 12)
    monkeypatch.delenv("OPS_ATOMIC_AS_OF")
    assert of_day("20251029", "check_states") <= made(faults.export(example_root))


def test_a_window_makes_the_days_again_that_it_touches(root: Path) -> None:
    faults.write(
        root / "g/analytics/settings/maintenance_windows.csv",
        "check_key,started_at,ended_at,reason\n"
        "redis,2025-10-28T01:00:00Z,2025-10-28T02:00:00Z,upgrade\n",
    )
    done = faults.export(root)
    assert not done.paths("exported")
    assert {name for name in made(done) if "/" in name} == of_day(
        "20251028", "check_states", "uptime_daily"
    )
    states = faults.rows(root, f"{FOLDER}/check_states/*_20251028.parquet", "state")
    assert ("maintenance",) in states


def test_what_is_asked_for_is_made(root: Path) -> None:
    assert made(faults.export(root, "--force", "--dataset", "incidents")) == {
        "incidents.parquet"
    }
    assert not made(faults.export(root, "--force", "--dataset", "ops_atomic"))
    done = faults.export(root, "--force", "--date", "2025-10-28")
    days = {name[-16:-8] for name in made(done) if "/" in name}
    assert days == {"20251028", "20251029"}
    # The day after reads this one, and what is made of that goes along.
    assert of_day("20251029", "check_states", "uptime_daily") <= made(done)
    assert not of_day("20251029", "query_perf_daily") & made(done)
    assert made(done) >= SINGLES


def test_a_dry_run_says_what_would_be_made_and_makes_nothing(root: Path) -> None:
    before = files(root)
    (root / FOLDER / "incidents.parquet").unlink()
    done = faults.export(root, "--dry-run")
    assert made(done, "would_export") == {
        "incidents.parquet", "reliability_summary.parquet",
    }  # fmt: skip
    [file] = [f for f in done.report["files"] if f["dataset"] == "incidents"]
    assert file["day"] is None
    assert files(root).keys() == before.keys() - {"incidents.parquet"}
    # What reads it has nothing new to read.
    done = faults.export(root)
    assert made(done) == {"incidents.parquet"}
    assert "reliability_summary.parquet" in made(done, "skipped")
    assert faults.contents(files(root)) == faults.contents(before)


def test_a_damaged_file_is_made_again(root: Path) -> None:
    before = files(root)
    name = "uptime_daily/uptime_daily_20251028.parquet"
    faults.write(root / FOLDER / name, b"junk")
    faults.write(root / FOLDER / "slo_status.parquet", b"PAR1")
    assert not faults.is_valid(root)
    assert made(faults.export(root)) == {name, "slo_status.parquet"}
    assert faults.contents(files(root)) == faults.contents(before)
    assert faults.is_valid(root)


def test_a_file_of_another_program_is_kept_beside(root: Path) -> None:
    before = files(root)
    place = root / FOLDER / "incidents.parquet"
    with duckdb.connect() as db:
        db.execute(f"copy (select 1 as a) to '{place}' (format parquet)")
    theirs = place.read_bytes()
    done = faults.export(root)
    assert "incidents.parquet: made by another program" in done.warnings
    assert place.with_name("incidents.parquet.legacy").read_bytes() == theirs
    assert faults.contents(files(root)) == faults.contents(before)


def test_a_file_that_is_missing_is_an_error_of_validate(root: Path) -> None:
    (root / FOLDER / "incidents.parquet").unlink()
    (root / FOLDER / "check_states/check_states_20251028.parquet").unlink()
    done = faults.run("validate", root)
    assert done.report["missing"] == 2
    assert "incidents: 1 of 1 files are not there" in done.errors
    assert "check_states: 1 of 3 files are not there, such as 2025-10-28" in done.errors


def test_a_mart_that_cannot_be_published_stops_nothing_else(
    example_root: Path,
) -> None:
    (example_root / FOLDER / "slo_status.parquet").mkdir(parents=True)
    done = faults.export(example_root, code=1)
    assert "slo_status" in done.errors
    assert done.report["status"] == "partial"
    assert made(done) >= SINGLES - {"slo_status.parquet"}
    assert len(done.days("exported")) == 3
    (example_root / FOLDER / "slo_status.parquet").rmdir()
    done = faults.export(example_root)
    assert "slo_status.parquet" in made(done)
    assert faults.is_valid(example_root)


def test_dbt_publishes_the_same_marts(root: Path, tmp_path: Path) -> None:
    """By itself, under the same lock; its examples and data tests hold as well."""
    before = files(root)
    for name in ("incidents.parquet", "check_states/check_states_20251028.parquet"):
        (root / FOLDER / name).unlink()
    moment = {"OPS_ATOMIC_AS_OF": NOW.isoformat(), "OPS_ATOMIC_MACHINE": "m"}
    done = run_dbt(root, tmp_path, "build", "--select", "tag:mart", environment=moment)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    assert faults.contents(files(root)) == faults.contents(before)
    assert made(faults.export(root), "skipped") == before.keys()
    with duckdb.connect(str(tmp_path / "ops_atomic.duckdb"), read_only=True) as db:
        for name, mart in MARTS.items():
            seen = sorted(db.execute(f"from {name}").fetchall(), key=repr)
            assert seen == rows_of(root, mart), name
    done = run_dbt(root, tmp_path, "test", "--select", "tag:mart", environment=moment)
    assert done.returncode == 0, done.stdout[-4000:]


def test_the_summary_of_a_run_tells_of_its_marts(root: Path) -> None:
    [summary] = (root / "g/reports/parquet").glob("parquet_export_summary_*.md")
    text = summary.read_text(encoding="utf-8")
    assert "check_states" in text
    record = (root / faults.STATE / "runs").glob("*.ndjson")
    [run] = [json.loads(line) for path in record for line in path.open("rb")]
    told = {done["dataset"]: done["exported_files"] for done in run["datasets"]}
    assert told["check_states"] == 3
    assert told["incidents"] == 1
