"""A day is published only when every landed record is accounted for."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from pathlib import Path
from unittest import mock

import duckdb
import pytest

from exporter.contracts.datasets import load_datasets
from exporter.publish.ledger import Ledger
from tests import faults
from tests.faults import LANDING, LEDGER, export, run
from tests.support import copy_project, run_dbt

QUERY_DAY = "2025-10-28"
QUERIES = (
    "knowledge/optimize/parquet/query_perf/year=2025/month=10/"
    "query_perf_20251028.parquet"
)
PART = f"query_rows/day={QUERY_DAY}/query_perf_daily_20251028.csv.gz"
REJECTS = "g/analytics/rejected_records/rejected_records_20251028.parquet"
BEATS = "g/analytics/ops_atomic_20251028.parquet"
COUNTS = "g/analytics/landed_counts/landed_counts_20251028.parquet"
REPORTS = (
    "knowledge/optimize/parquet/advisor_reports/year=2025/month=10/"
    "advisor_reports_20251028.parquet"
)


def miscount(root: Path, more: int) -> int:
    """Let the ledger believe in more records than the landing holds."""
    ledger = Ledger(root / LEDGER)
    part = ledger.part("query_rows", QUERY_DAY, Path(PART).name)
    assert part
    [(dataset, records)] = part.counts.items()
    ledger.put_part(replace(part, counts={dataset: records + more}))
    ledger.close()
    return records


@pytest.mark.parametrize("more", [1, -1])
def test_a_day_that_does_not_add_up_is_not_published(more: int, root: Path) -> None:
    before = faults.published(root)
    records = miscount(root, more)
    for _ in range(2):
        done = export(root, "--force", code=1)
        assert done.paths("failed") == {QUERIES, REJECTS, COUNTS}
        assert (
            f"{QUERIES}: not published: {records} of the {records + more} landed "
            "records of query_rows are accounted for"
        ) in done.errors
        assert done.report["status"] == "partial"
    after = faults.published(root)
    assert {path: after[path] for path in (QUERIES, REJECTS)} == {
        path: before[path] for path in (QUERIES, REJECTS)
    }
    assert not faults.leftovers(root)
    miscount(root, 0 - more)
    export(root, "--force")
    assert faults.contents(faults.published(root)) == faults.contents(before)


def test_a_day_that_cannot_be_read_takes_no_other_along(root: Path) -> None:
    before = faults.contents(faults.published(root))
    part = root / LANDING / PART
    look, data = part.stat(), bytearray(part.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 64] = b"\xff" * 64
    part.write_bytes(data)
    os.utime(part, ns=(look.st_atime_ns, look.st_mtime_ns))
    for path in before:
        (root / path).unlink()
    # As if it had been damaged after it was looked into.
    with mock.patch("exporter.export.run.unsound_parts", return_value=[]):
        done = export(root, code=1)
    failed = done.paths("failed")
    assert QUERIES in failed
    assert {path[-16:] for path in failed} == {"20251028.parquet"}
    assert f"{Path(PART).name}: damaged landing file" in done.errors
    assert "--historical" in done.errors
    assert faults.contents(faults.published(root)) == {
        path: data for path, data in before.items() if path not in failed
    }
    export(root, "--historical")
    assert faults.contents(faults.published(root)) == before


def test_growth_of_one_input_hides_no_loss_of_another(root: Path) -> None:
    rows = set(faults.rows(root, faults.QUERIES))
    rejects = set(faults.rows(root, faults.REJECTS))
    (root / LANDING / PART).unlink()
    (root / "g/reports/query_perf_daily_20251028.csv").unlink()
    lines = "".join(
        f'{{"ts":"{QUERY_DAY}T0{n}:00:00Z","query":"select 1","duration_ms":1}}\n'
        for n in range(9)
    )
    bad = f'{{"ts":"{QUERY_DAY}T01:00:00Z","query":"select 1","duration_ms":"x"}}\n'
    with (root / "g/reports/query_perf.jsonl").open("a") as log:
        log.write(lines + bad)
    done = export(root)
    assert {QUERIES, REJECTS} <= done.paths("exported")
    assert f"{QUERIES}: the rows of query_rows/{Path(PART).stem} are kept" in (
        done.warnings
    )
    assert rows < set(faults.rows(root, faults.QUERIES))
    assert len(faults.rows(root, faults.QUERIES)) == len(rows) + 9
    assert len(set(faults.rows(root, faults.REJECTS)) - rejects) == 1
    assert rejects < set(faults.rows(root, faults.REJECTS))
    assert faults.is_valid(root)

    again = export(root)
    assert not again.paths("exported")
    assert f"{QUERIES}: the rows of" in again.warnings

    export(root, "--date", QUERY_DAY, "--force")
    assert set(faults.rows(root, QUERIES, "source_file")) == {("query_perf.jsonl",)}


def test_a_file_under_the_name_of_another_is_found_and_repaired(root: Path) -> None:
    before = faults.contents(faults.published(root))
    beats = "g/analytics/ops_atomic_202510{}.parquet"
    checks = "g/analytics/heartbeat_checks/heartbeat_checks_20251028.parquet"
    shutil.copyfile(root / beats.format(28), root / beats.format(27))
    shutil.copyfile(root / QUERIES, root / checks)
    unlanded = "g/analytics/ops_atomic_20240101.parquet"
    shutil.copyfile(root / beats.format(28), root / unlanded)
    done = run("validate", root)
    assert done.code == 1
    assert f"{beats.format(27)}: holds ops_atomic of 2025-10-28" in done.errors
    assert f"{checks}: holds query_perf of 2025-10-28" in done.errors
    assert f"{unlanded}: holds ops_atomic of 2025-10-28" in done.errors
    done = export(root)
    assert done.paths("exported") == {beats.format(27), checks}
    assert faults.contents(faults.published(root)) == before
    assert (root / f"{unlanded}.damaged").read_bytes() == before[beats.format(28)]
    assert faults.is_valid(root)


def test_what_is_no_file_where_one_should_be_hangs_nothing(root: Path) -> None:
    before = faults.contents(faults.published(root))
    unlanded = "g/analytics/ops_atomic_20240101.parquet"
    rejects = "g/analytics/rejected_records/rejected_records_20251028.parquet"
    for path in (QUERIES, rejects, unlanded):
        (root / path).unlink(missing_ok=True)
        os.mkfifo(root / path)
    done = run("validate", root)
    assert done.code == 1
    assert f"{QUERIES}: not a Parquet file" in done.errors
    assert run("rejects", root).code == 0
    assert run("doctor", root).code == 1
    export(root)
    assert (root / f"{unlanded}.damaged").is_fifo()
    assert faults.contents(faults.published(root)) == before


def test_code_that_changes_during_a_run_publishes_nothing(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = faults.published(root)
    with monkeypatch.context() as patched:
        changed = {
            name: replace(dataset, model_fingerprint="edited since")
            for name, dataset in load_datasets().items()
        }
        patched.setattr("exporter.publish.dbt_plugin.load_datasets", lambda: changed)
        patched.setattr("exporter.publish.dbt_plugin.code_stats", dict)
        done = export(root, "--force", code=1)
    assert "the project's files changed while dbt was at work" in done.errors
    assert faults.published(root) == before
    assert not faults.leftovers(root)


def change_a_macro(project: Path) -> None:
    path = project / "macros" / "typing.sql"
    text = path.read_text(encoding="utf-8")
    start = "nullif(trim({{ cell }}), ''"
    changed = text.replace(start, f"{start} || ''")
    assert changed != text
    path.write_text(changed, encoding="utf-8")


def test_a_row_that_breaks_a_check_of_its_contract_is_not_published(
    root: Path, tmp_path: Path
) -> None:
    before = faults.published(root)
    project = copy_project(tmp_path / "project")
    model = project / "models/marts/exports/query_texts.sql"
    text = model.read_text(encoding="utf-8")
    off = "last_seen_at + interval 1 day as last_seen"
    model.write_text(text.replace("last_seen_at as last_seen", off), encoding="utf-8")
    done = run_dbt(
        root, tmp_path / "scratch", "run --select query_texts", project=project
    )
    assert done.returncode != 0
    assert "not so: last_seen lies on its day" in done.stdout
    assert faults.published(root) == before


def test_plain_dbt_empties_nothing_that_is_not_landed_any_more(
    root: Path, tmp_path: Path
) -> None:
    """As the guide's Retention allows: inputs and old landing are deleted."""
    before = faults.published(root)
    project = copy_project(tmp_path / "project")
    change_a_macro(project)
    for name in faults.inputs(root):
        (root / name).unlink()
    for folder in (root / LANDING).glob(f"*/day={QUERY_DAY}"):
        shutil.rmtree(folder)

    def dbt(command: str) -> str:
        done = run_dbt(root, tmp_path / "scratch", command, project=project)
        assert done.returncode == 0, done.stdout[-4000:]
        return done.stdout

    said = dbt("run")
    assert "landing file(s) are gone" in said
    assert "were made by other code" in said
    after = faults.published(root)
    assert after.keys() == before.keys()
    old = {path for path in before if "20251028" in path}
    assert {path: after[path] for path in old} == {path: before[path] for path in old}
    assert (
        after[QUERIES.replace("1028", "1029")]
        != before[QUERIES.replace("1028", "1029")]
    ), "what is landed is made again"

    shutil.rmtree(root / LANDING)
    change_a_macro(project)
    dbt("build")
    assert faults.published(root) == after
    assert not export(root).paths("exported")
    assert faults.published(root) == after


def lose_a_row(root: Path, path: str) -> None:
    """Put a file in place of a published one, of which nobody knows better."""
    with duckdb.connect() as db:
        old = f"from read_parquet('{root / path}', hive_partitioning = false)"
        footer = ", ".join(
            f"{key}: {value!r}"
            for key, value in db.execute(
                "select key::varchar, value::varchar from parquet_kv_metadata(?)",
                [str(root / path)],
            ).fetchall()
        )
        db.execute(
            f"copy ({old} offset 1) to '{root / path}' (format parquet, "
            f"compression snappy, kv_metadata {{{footer}}})"
        )
    ledger = Ledger(root / LEDGER)
    ledger.forget_published([path])
    ledger.close()


def test_published_rows_that_are_missing_fail_a_dbt_test(
    root: Path, tmp_path: Path
) -> None:
    for path in (QUERIES, BEATS, REPORTS):
        lose_a_row(root, path)
    done = run_dbt(root, tmp_path, "test --select assert_no_landed_record_is_lost")
    assert done.returncode == 1, done.stdout[-4000:]
    assert "Got 3 results" in done.stdout


def test_plain_dbt_publishes_all_after_a_lost_ledger(
    root: Path, tmp_path: Path
) -> None:
    before = faults.contents(faults.published(root))
    (root / LEDGER).unlink()
    for path in root.rglob("*.parquet"):
        path.unlink()
    done = run_dbt(root, tmp_path, "build")
    assert done.returncode == 0, done.stdout[-4000:]
    assert faults.contents(faults.published(root)) == before
    assert faults.is_valid(root)
