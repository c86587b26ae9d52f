"""A root that is none, or holds nothing, is not a success without a word."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from ingest import advice
from ingest.root import Root
from tests import faults

Cli = Callable[..., Result]


@pytest.mark.parametrize("command", ["export", "ingest"])
def test_a_folder_that_is_no_root_is_wrong_usage(
    cli: Cli, tmp_path: Path, command: str
) -> None:
    (tmp_path / "somewhere").mkdir()
    done = cli(command, tmp_path / "somewhere")
    assert done.exit_code == 2
    assert "has neither g nor knowledge/optimize" in done.stderr
    assert "--allow-empty" in done.stderr
    assert list((tmp_path / "somewhere").iterdir()) == []
    assert cli(command, tmp_path / "somewhere", "--allow-empty").exit_code == 0


@pytest.mark.parametrize("folder", ["g", "knowledge/optimize"])
def test_half_a_root_is_one(cli: Cli, tmp_path: Path, folder: str) -> None:
    (tmp_path / "root" / folder).mkdir(parents=True)
    assert cli("export", tmp_path / "root").exit_code == 0


@pytest.mark.parametrize("command", ["validate", "doctor"])
def test_other_commands_look_at_any_folder(
    cli: Cli, tmp_path: Path, command: str
) -> None:
    (tmp_path / "somewhere").mkdir()
    assert cli(command, tmp_path / "somewhere").exit_code != 2


@pytest.mark.parametrize("arguments", [(), ("--trigger",)])
def test_a_verification_does_not_make_a_wrong_root_look_right(
    cli: Cli, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    folder = tmp_path / "somewhere"
    folder.mkdir()
    done = cli("verify", folder, *arguments)
    assert done.exit_code == 1
    assert "no report is written: " in done.stderr
    assert "has neither g nor knowledge/optimize" in done.stderr
    assert list(folder.iterdir()) == []
    assert cli("export", folder).exit_code == 2


def test_what_a_doctor_advises_for_a_wrong_root_works(cli: Cli, tmp_path: Path) -> None:
    folder = tmp_path / "somewhere"
    folder.mkdir()
    done = cli("doctor", folder, "--json")
    assert done.exit_code == 1
    mends = [check["mend"] for check in json.loads(done.stdout)["checks"]]
    assert f"mkdir -p {folder}/g/reports" in mends
    assert advice.command(Root(folder), "export") not in mends


def test_a_validation_does_not_advise_what_is_refused(cli: Cli, tmp_path: Path) -> None:
    folder = tmp_path / "somewhere"
    folder.mkdir()
    [error] = json.loads(cli("validate", folder, "--json").stdout)["errors"]
    assert error.endswith(f": run mkdir -p {folder}/g/reports")
    assert "has neither g nor knowledge/optimize" in error


@pytest.mark.parametrize("value", ["", " "])
def test_a_root_that_is_set_to_nothing_is_wrong_usage(
    ops_atomic_bare: Callable[..., Result],
    root: Path,
    monkeypatch: pytest.MonkeyPatch,
    value: str,
) -> None:
    monkeypatch.setenv("OPS_ATOMIC_ROOT", value)
    done = ops_atomic_bare("export", "--dry-run")
    assert done.exit_code == 2
    assert "(OPS_ATOMIC_ROOT) is set to nothing" in done.stderr
    assert ops_atomic_bare("export", "--dry-run", "--root", root).exit_code == 0
    monkeypatch.delenv("OPS_ATOMIC_ROOT")
    done = ops_atomic_bare("export", "--dry-run", "--root", value)
    assert "(--root) is set to nothing" in done.stderr


def test_a_root_without_input_says_what_was_looked_for(empty_root: Path) -> None:
    done = faults.export(empty_root)
    assert "no input was found; looked for heartbeats in g/reports/" in done.warnings
    assert "rollup_daily.ndjson" in done.warnings


def test_a_day_without_data_is_said_to_be_one(root: Path) -> None:
    for arguments in (("--date", "2019-01-01"), ("--dry", "--date", "2019-01-01")):
        done = faults.export(root, *arguments)
        assert "2019-01-01: nothing has been landed of this day" in done.warnings
        assert not done.paths("exported", "skipped", "would_export")
    assert (
        "nothing has been" not in faults.export(root, "--date", "2025-10-28").warnings
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--since", "2030-01-01"), "nothing has been landed since 2030-01-01"),
        (("--until", "2019-01-01"), "nothing has been landed until 2019-01-01"),
        (
            ("--since", "2019-01-01", "--until", "2019-01-03"),
            "nothing has been landed since 2019-01-01 until 2019-01-03",
        ),
        (("--since", "2025-10-28", "--until", "2030-01-01"), None),
    ],
)
def test_a_range_without_data_is_said_to_be_one(
    root: Path, arguments: tuple[str, ...], said: str | None
) -> None:
    warnings = faults.export(root, *arguments).report["warnings"]
    assert [text for text in warnings if "landed" in text] == ([said] if said else [])


def test_a_day_on_which_only_runs_began_is_one_without_data(root: Path) -> None:
    with (root / "g/reports/query_perf.jsonl").open("a") as log:
        log.write('{"ts":"2025-10-29T12:00:00Z","query":"q","duration_ms":1}\n')
    faults.export(root)
    (day,) = {path.stem[-8:] for path in root.glob("g/analytics/run_log/*.parquet")}
    on = f"{day[:4]}-{day[4:6]}-{day[6:]}"
    done = faults.export(root, "--date", on)
    assert f"{on}: nothing has been landed of this day" in done.warnings
