"""A model that yields other columns than its contract publishes nothing."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.faults import published
from tests.support import copy_project, run_dbt

# A model, how its query is changed, and what dbt says of the column.
CHANGES = {
    "exports/query_texts": ("*, 1 as more", "more", "missing in contract"),
    "exports/report_checks": (
        "* exclude (message)",
        "message",
        "missing in definition",
    ),
    "exports/ops_atomic": ("* exclude (filename)", "filename", "missing in definition"),
    "performance/query_perf_daily": (
        "* replace (executions::varchar as executions)",
        "executions",
        "data type mismatch",
    ),
    "operations/export_runs": ("*, 1 as more", "more", "missing in contract"),
}


@pytest.mark.parametrize("of", ["example_root", "empty_root"])
def test_other_columns_than_those_of_the_contract(
    of: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    root: Path = request.getfixturevalue(of)
    project = copy_project(tmp_path / "project")
    for name, (columns, *_) in CHANGES.items():
        model = project / "models" / "marts" / f"{name}.sql"
        query = model.read_text(encoding="utf-8")
        model.write_text(f"select {columns} from (\n{query}\n)", encoding="utf-8")
    names = [name.partition("/")[2] for name in CHANGES]
    models = [f"file:{name}.sql" for name in names]
    scratch = tmp_path / "scratch"
    run = ("run", "--select", *models)
    done = run_dbt(root, scratch, *run, project=project)
    assert done.returncode == 1
    assert done.stdout.count("This model has an enforced contract that failed") == len(
        names
    ), done.stdout[-4000:]
    for _, column, reason in CHANGES.values():
        assert re.search(rf"\| {column} .*\| {reason}", done.stdout), column
    assert published(root) == {}
