"""Plain dbt works on its own: before an export, after one, and on nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from click.testing import Result

from tests.faults import contents, published
from tests.support import run_dbt


def succeeds(done: CompletedProcess[str]) -> CompletedProcess[str]:
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    return done


def shows_every_published_column(target: Path) -> None:
    manifest = json.loads((target / "manifest.json").read_text(encoding="utf-8"))
    catalog = json.loads((target / "catalog.json").read_text(encoding="utf-8"))
    for name, node in manifest["nodes"].items():
        if node["config"]["materialized"] == "daily_parquet":
            shown = {column.lower() for column in catalog["nodes"][name]["columns"]}
            assert shown == set(node["columns"]), name


def test_dbt_publishes_what_an_export_would(
    example_root: Path,
    tmp_path: Path,
    cli: Callable[..., Result],
) -> None:
    assert cli("ingest", example_root).exit_code == 0

    succeeds(run_dbt(example_root, tmp_path, "build", "--empty"))
    assert published(example_root) == {}, "--empty publishes nothing"

    succeeds(run_dbt(example_root, tmp_path, "build"))
    by_dbt = published(example_root)
    assert by_dbt
    catalogue = example_root / "g" / "analytics" / "ops_atomic.duckdb"
    assert not catalogue.exists(), "it is left to the next export"
    succeeds(run_dbt(example_root, tmp_path, "build", "--empty"))
    assert published(example_root) == by_dbt

    result = json.loads(cli("export", example_root, "--json").stdout)
    assert {file["status"] for file in result["files"]} == {"skipped"}
    assert published(example_root) == by_dbt
    assert catalogue.is_file()
    assert cli("validate", example_root).exit_code == 0

    assert cli("export", example_root, "--force").exit_code == 0
    assert contents(published(example_root)) == contents(by_dbt)


@pytest.mark.parametrize("of", ["samples_root", "example_root"])
def test_dbt_finds_nothing_to_do_after_an_export(
    of: str,
    tmp_path: Path,
    cli: Callable[..., Result],
    request: pytest.FixtureRequest,
) -> None:
    root: Path = request.getfixturevalue(of)
    assert cli("export", root).exit_code == 0
    by_export = published(root)
    assert by_export

    succeeds(run_dbt(root, tmp_path, "build"))
    succeeds(run_dbt(root, tmp_path, "docs generate"))
    assert published(root) == by_export
    shows_every_published_column(tmp_path / "target")


def test_dbt_works_on_a_root_with_no_input(empty_root: Path, tmp_path: Path) -> None:
    succeeds(run_dbt(empty_root, tmp_path, "test", unit_tests=True))
    for command in ("build", "build --empty", "docs generate"):
        succeeds(run_dbt(empty_root, tmp_path, command))
    assert published(empty_root) == {}
