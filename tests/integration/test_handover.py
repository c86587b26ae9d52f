"""A run and the dbt in it share one ledger, one set of datasets, and nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from exporter.contracts import kept
from exporter.publish import dbt_run, work
from exporter.publish.work import Work
from ingest.root import PROJECT
from ingest.store import database
from tests import faults

DAY = "2025-10-28"
FORCED = ["--date", DAY, "--force"]


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """How often a ledger was opened, and the code of the datasets read."""
    calls: list[str] = []

    def count(name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def counting(*given: Any, **more: Any) -> Any:
            calls.append(name)
            return real(*given, **more)

        return counting

    monkeypatch.setattr(database, "connect", count("ledger", database.connect))
    monkeypatch.setattr(database, "copy_into", count("copy", database.copy_into))
    datasets = replace(kept.TABLES, files=count("datasets", kept.TABLES.files))
    monkeypatch.setattr(kept, "TABLES", datasets)
    kept.load_tables.cache_clear()  # another test of this process has loaded them
    return calls


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--date", DAY, "--force"],
        ["--date", DAY, "--force", "--dataset", "ops_atomic"],
    ],
    ids=["nothing new", "a forced day", "a forced dataset"],
)
def test_a_run_opens_one_ledger_and_loads_the_datasets_once(
    arguments: list[str], root: Path, counted: list[str]
) -> None:
    exported = faults.export(root, *arguments).paths("exported")
    assert bool(exported) == bool(arguments)
    assert sorted(counted) == ["datasets", "ledger"]


def test_dbt_is_handed_its_work_in_this_process_alone(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = dbt_run.build
    seen: list[Work] = []

    def build(work: Work, *more: Any) -> dbt_run.Outcome:
        seen.append(work)
        before = {name for name in os.environ if not name.startswith("DBT_")}
        files = sorted(work.root.staging.rglob("*"))
        outcome = real(work, *more)
        after = {name for name in os.environ if not name.startswith("DBT_")}
        assert after == before
        assert not files
        return outcome

    monkeypatch.setattr(dbt_run, "build", build)
    exported = faults.export(root, *FORCED).paths("exported")
    assert work.handed_work() is None
    [handed] = seen
    published = {done.target.path for done in handed.done if done.file}
    assert set(filter(faults.is_made_of_inputs, published)) == exported
    assert {str(target.day) for target in handed.stale} == {DAY}


NOTHING_NEW = """
import sys
from exporter.cli.main import main
try:
    main(["export", "--root", sys.argv[1]])
finally:
    print(sorted({"dbt", "duckdb"} & set(sys.modules)))
"""


def test_a_run_with_nothing_new_imports_neither_dbt_nor_duckdb(root: Path) -> None:
    faults.export(root)  # it is a copy: the catalogue follows
    said = subprocess.run(
        [sys.executable, "-c", NOTHING_NEW, str(root)],
        check=True, cwd=PROJECT, stdout=subprocess.PIPE, text=True,
    ).stdout  # fmt: skip
    assert "Export complete (0 new files)" in said
    assert said.splitlines()[-1] == "[]"
