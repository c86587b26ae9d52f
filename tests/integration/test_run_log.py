"""What is published of the runs themselves: run_log and landed_counts."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import Result

from exporter.contracts.datasets import ALWAYS, load_datasets
from tests import faults
from tests.faults import LANDING, STATE, export
from tests.support import run_dbt

Cli = Callable[..., Result]
RUNS = "g/analytics/run_log/*.parquet"
COUNTS = "g/analytics/landed_counts/*.parquet"
LOG = "g/reports/query_perf.jsonl"


def log_a_query(root: Path, number: int) -> None:
    with (root / LOG).open("a") as log:
        log.write(
            f'{{"ts":"2025-10-29T12:00:0{number}Z","query":"q","duration_ms":1}}\n'
        )


def recorded(root: Path) -> list[dict[str, object]]:
    return [
        json.loads(line)
        for path in sorted((root / STATE / "runs").iterdir())
        for line in path.read_text(encoding="utf-8").splitlines()
    ]


def test_a_run_is_published_by_the_next_that_writes_something(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert faults.rows(root, RUNS) == [], "nothing ran before the first run"
    assert not export(root).paths("exported")
    assert faults.rows(root, RUNS) == [], "nothing else was written"

    monkeypatch.setenv("OPS_ATOMIC_STARTED_BY", "agent")
    monkeypatch.setenv("OPS_ATOMIC_MACHINE", "here")
    log_a_query(root, 0)
    export(root)
    found = "strftime(started_at, '%Y-%m-%dT%H:%M:%SZ'), exported_files, warnings"
    runs = recorded(root)
    assert (
        sorted(faults.rows(root, RUNS, found))
        == sorted(
            (run["started_at"], run["exported_files"], len(run["warnings"]))  # type: ignore[arg-type]
            for run in runs[:2]
        )
    )

    log_a_query(root, 1)
    export(root)
    about = "started_by, machine, status, exit_code, errors, first_error"
    assert Counter(faults.rows(root, RUNS, about)) == {
        ("hand", None, "ok", 0, 0, None): 2,
        ("agent", "here", "ok", 0, 0, None): 1,
    }
    assert faults.is_valid(root)
    assert not export(root, "--historical").paths("exported")
    assert len(faults.rows(root, RUNS)) == 3


def test_marts_are_something_else_that_is_written(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a new day the marts are made, of runs as well: none may be missing."""
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    monkeypatch.setenv("OPS_ATOMIC_AS_OF", f"{tomorrow:%Y-%m-%dT%H:%M:%SZ}")
    made = export(root).report["files"]
    written = {file["dataset"] for file in made if file["status"] == "exported"}
    assert {"run_log", "slo_status"} <= written
    assert "ops_atomic" not in written
    runs = len(recorded(root)) - 1
    assert len(faults.rows(root, RUNS)) == runs == 1
    assert len(faults.rows(root, "g/analytics/marts/export_runs.parquet")) == runs
    again = export(root).report["files"]
    assert {file["status"] for file in again} == {"skipped"}


def test_a_run_that_failed_is_told_with_its_error(root: Path) -> None:
    place = root / "g/analytics/heartbeat_checks"
    kept = place.rename(place.with_name("kept"))
    faults.write(place, "in the way")
    export(root, code=1)
    place.unlink()
    kept.rename(place)
    log_a_query(root, 0)
    export(root)
    about = "exit_code, status, first_error"
    (_, failed) = sorted(faults.rows(root, RUNS, about), key=lambda row: row[0])
    assert failed[0] == 1
    assert failed[1] in ("partial", "failed")
    assert "heartbeat_checks" in failed[2]


def test_a_day_of_runs_is_made_again_from_its_records_alone(root: Path) -> None:
    log_a_query(root, 0)
    export(root)
    (path,) = root.glob(RUNS)
    rows = faults.rows(root, RUNS)
    path.write_bytes(path.read_bytes()[:-9])
    export(root)
    assert set(rows) < set(faults.rows(root, RUNS))

    # What the records no longer hold is kept.
    rows = faults.rows(root, RUNS)
    for records in (root / STATE / "runs").iterdir():
        records.unlink()
    log_a_query(root, 1)
    done = export(root)
    assert faults.rows(root, RUNS) == rows
    assert f"run_log_{datetime.now(UTC):%Y%m}" not in done.errors
    assert faults.is_valid(root)


def test_what_is_landed_is_counted_as_it_was_published(root: Path) -> None:
    with (root / LANDING / "landed_days.csv").open(encoding="utf-8") as stream:
        landed = {
            (row["source"], row["dataset"], row["day"]): int(row["landed_records"])
            for row in csv.DictReader(stream)
            if row["dataset"] not in ("", "schema_drift")
        }
    key = "source, dataset, date_partition::varchar"
    counted = {
        (source, dataset, day): landed
        for source, dataset, day, landed in faults.rows(root, COUNTS, f"{key}, landed")
    }
    # Each line of the log is a record of query_perf, and tells a text besides.
    texts = {
        (source, "query_texts", day): number
        for (source, dataset, day), number in landed.items()
        if (source, dataset) == ("query_log", "query_perf")
    }
    assert texts
    landed |= texts
    assert counted == {at: number for at, number in landed.items() if number}
    sums = faults.rows(root, COUNTS, "landed, published + duplicates + rejected")
    assert all(one == other for one, other in sums)
    sizes = faults.rows(root, COUNTS, "dataset, date_partition, parquet_bytes")
    for dataset, day, size in sizes:
        (path,) = root.rglob(f"{dataset}_{day:%Y%m%d}.parquet")
        assert path.stat().st_size == size
    assert all(
        files > 0 and size > 0
        for files, size in faults.rows(root, COUNTS, "files, source_bytes")
    )


def test_every_dataset_that_is_made_from_records_is_counted(root: Path) -> None:
    made_of_others = {*ALWAYS, "run_log", "landed_counts"}
    counted = Counter(name for (name,) in faults.rows(root, COUNTS, "dataset"))
    assert counted.keys() == load_datasets().keys() - made_of_others
    published = dict(
        faults.rows(
            root, COUNTS, "dataset, (sum(published) over (partition by dataset))::int"
        )
    )
    for name, dataset in load_datasets().items():
        if name in counted:
            assert published[name] == len(faults.rows(root, dataset.glob)), name


def test_counts_that_are_lost_come_back(root: Path) -> None:
    before = faults.contents(faults.published(root))
    for path in root.glob(COUNTS):
        path.unlink()
    export(root)
    assert faults.contents(faults.published(root)) == before


def test_plain_dbt_publishes_them_too(root: Path, tmp_path: Path) -> None:
    log_a_query(root, 0)
    twin = faults.copy(root, tmp_path / "twin")
    assert faults.run("ingest", root).code == 0
    done = run_dbt(root, tmp_path / "scratch", "build")
    assert done.returncode == 0, done.stdout[-4000:]
    export(twin)
    assert faults.rows(root, RUNS)
    assert faults.rows(root, RUNS) == faults.rows(twin, RUNS)
    assert faults.contents(faults.published(root)) == faults.contents(
        faults.published(twin)
    )


def test_a_run_of_one_day_declares_no_standing_alarm_over(root: Path) -> None:
    assert "no heartbeat for" in export(root).warnings
    done = export(root, "--date", "2025-10-28")
    assert "no heartbeat for" in done.warnings
    *_, whole, limited = recorded(root)
    assert (whole["is_whole"], limited["is_whole"]) == (True, False)
    assert limited["standing"] == whole["standing"]
    assert limited["stale_sources"] == whole["stale_sources"] != []
    (summary,) = (root / "g/reports/parquet").glob("*.md")
    text = summary.read_text(encoding="utf-8")
    assert "**holds**" in text
    assert "| over |" not in text


def test_the_day_of_a_run_is_not_among_the_days_written(cli: Cli, root: Path) -> None:
    with (root / LOG).open("a") as log:
        for day in (28, 29):
            at = f"2025-10-{day}T12:00:00Z"
            log.write(f'{{"ts":"{at}","query":"q","duration_ms":1}}\n')
    said = cli("export", root).stdout
    assert faults.rows(root, RUNS), "the run before is published along with them"
    assert "Wrote 2 days, 2025-10-28 to 2025-10-29\n" in said
