"""Promise: what failed its tests stays failed until a run has tested it again."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from exporter.publish import dbt_run
from exporter.publish.dbt_run import Outcome
from exporter.publish.untested import forget_untested, note_untested, untested_days
from ingest.root import Root
from tests import faults, support

DAY = "2025-10-28"


def spoil(root: Path) -> None:
    """One more heartbeat for a day, so that it is published anew."""
    faults.write(
        root / "g" / "reports" / "ops_atomic" / f"heartbeat_{DAY}_03-03-03.md",
        faults.heartbeat(f"{DAY}T03:03:03Z").encode(),
        1761700000,
    )


def test_a_test_that_failed_is_told_until_it_passes(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    built: list[list[str]] = []
    real = dbt_run.build

    def failing(work, models, stopper):  # type: ignore[no-untyped-def]
        built.append(list(models))
        outcome = real(work, models, stopper)
        return Outcome([*outcome.errors, ("no landed record is lost", "not so")])

    spoil(root)
    monkeypatch.setattr(dbt_run, "build", failing)
    first = faults.export(root, code=1)
    assert first.report["status"] == "partial"
    again = faults.export(root, code=1)
    assert "no landed record is lost: not so" in again.errors
    assert again.paths("exported") == set()
    assert DAY in {str(day) for day in untested_days(Root(root))}
    monkeypatch.setattr(dbt_run, "build", real)
    assert faults.export(root).report["status"] == "ok"
    assert untested_days(Root(root)) == set()
    # Well by now: no dbt any more.
    monkeypatch.setattr(dbt_run, "build", failing)
    faults.export(root)
    assert len(built) == 2


def test_what_plain_dbt_publishes_is_tested_by_the_next_run(
    root: Path, tmp_path: Path
) -> None:
    spoil(root)
    faults.run("ingest", root)
    done = support.run_dbt(root, tmp_path / "scratch", "run")
    assert done.returncode == 0, done.stdout
    assert DAY in {str(day) for day in untested_days(Root(root))}
    faults.export(root)
    assert untested_days(Root(root)) == set()


def test_settings_for_other_dbts_are_not_for_ours(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spoil(root)
    for name in ("DBT_EMPTY", "DBT_DEFER", "DBT_WARN_ERROR"):
        monkeypatch.setenv(name, "true")
    monkeypatch.setenv("DBT_TARGET", "nonsense")
    done = faults.export(root)
    assert f"g/analytics/ops_atomic_{DAY.replace('-', '')}.parquet" in done.paths(
        "exported"
    )


def test_files_that_dbt_leaves_out_without_a_word_are_an_error(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spoil(root)
    monkeypatch.setattr(dbt_run, "build", lambda *_: Outcome())
    done = faults.export(root, code=1)
    assert "were not published" in done.errors


def test_damaged_files_alone_start_no_dbt(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    foreign = root / "g" / "analytics" / "ops_atomic_20200101.parquet"
    foreign.write_bytes(b"PAR1 not at all")

    def never(*_: object) -> Outcome:
        raise AssertionError("dbt was started")

    monkeypatch.setattr(dbt_run, "build", never)
    done = faults.export(root)
    assert "set aside" in done.warnings
    assert not foreign.exists()


def test_days_are_noted_once_and_forgotten(empty_root: Path) -> None:
    from datetime import date

    root = Root(empty_root)
    note_untested(root, [date(2025, 10, 28)])
    note_untested(root, [date(2025, 10, 27), date(2025, 10, 28)])
    path = root.state / "untested_days.json"
    assert json.loads(path.read_text()) == {"days": ["2025-10-27", "2025-10-28"]}
    assert path.stat().st_mode & 0o777 == 0o600
    path.write_text("[]")
    known = [date(2025, 10, 26), date(2025, 10, 28)]
    assert untested_days(root, known) == set(known)
    note_untested(root, [date(2025, 10, 30)])
    assert path.read_text() == "[]"
    path.unlink()
    os.mkfifo(path)
    assert untested_days(root, known) == set(known)
    forget_untested(root)
    forget_untested(root)
    assert not path.exists()
