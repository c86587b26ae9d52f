"""What is not there is not valid: validate finds what is missing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from tests import faults
from tests.integration.test_locking import holder

Cli = Callable[..., Result]


def test_a_landed_day_without_its_file_is_an_error(root: Path) -> None:
    gone = sorted(faults.published(root))[::2]
    for path in gone:
        (root / path).unlink()
    done = faults.run("validate", root)
    assert done.code == 1
    assert done.report["status"] == "failed"
    assert done.report["missing"] == len(gone)
    assert "landed days have no file, such as 2025-10-2" in done.errors
    faults.export(root)
    done = faults.run("validate", root)
    assert (done.code, done.report["missing"]) == (0, 0)


def test_days_that_were_landed_only_are_missing(example_root: Path) -> None:
    assert faults.run("ingest", example_root).code == 0
    done = faults.run("validate", example_root)
    assert done.code == 1
    assert done.report["files"] == 0 < done.report["missing"]


@pytest.mark.parametrize("name", ["empty_root", "tmp_path"])
def test_nothing_at_all_is_not_valid(
    name: str, request: pytest.FixtureRequest, cli: Cli
) -> None:
    root: Path = request.getfixturevalue(name)
    before = sorted(root.rglob("*"))
    done = cli("validate", root)
    assert done.exit_code == 1
    assert "✗ nothing to validate: " in done.stderr
    assert "Validation: FAILED" in done.stdout
    assert sorted(root.rglob("*")) == before, "to look leaves no trace"


def test_a_day_of_which_there_is_nothing_is_not_valid(root: Path) -> None:
    done = faults.run("validate", root, "--date", "2019-01-01")
    assert done.code == 1
    assert "nothing to validate: nothing is landed or published of 2019-01-01" in (
        done.errors
    )
    assert faults.run("validate", root, "--date", "2025-10-28").code == 0


def test_a_run_in_progress_is_said_to_be_one(root: Path) -> None:
    with holder(root) as process:
        said = faults.run("validate", root).warnings
        assert "a run is in progress: ops-atomic export" in said
        assert f"(process {process.pid})" in said
    assert "in progress" not in faults.run("validate", root).warnings
