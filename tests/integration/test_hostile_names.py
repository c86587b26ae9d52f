"""Quotes, newlines and patterns in names, values and the root itself."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import duckdb
import pytest
from click.testing import CliRunner

from exporter.cli.main import main
from ingest.root import EXAMPLE_ROOT
from tests import faults
from tests.faults import export, write
from tests.support import copy_project, copy_root, run_dbt

NASTY = "'; drop table x; --\"$(touch pwned)`touch pwned`\n../[*]?{a}%s{{ 1/0 }}"
VALUE = "'; drop schema main cascade; -- $(touch pwned) \\n ../../x {{ 1/0 }} {% raw %}"


@pytest.mark.parametrize(
    "name",
    ["a b'c;[x]*", '{{ x }}\n"quoted" %s', "?[!a]", "ünï ✅ -- '"],
)
def test_a_root_of_any_name(name: str, exported_once: Path, tmp_path: Path) -> None:
    root = copy_root(EXAMPLE_ROOT, tmp_path / name)
    decoy = tmp_path / "a bXc;x"  # what a pattern would match
    faults.copy(exported_once, decoy)
    done = export(root)
    assert done.paths("exported")
    wanted = faults.contents(faults.published(exported_once))
    assert faults.contents(faults.published(root)) == wanted
    assert faults.is_valid(root)
    for path in list(wanted)[::4]:
        (root / path).unlink()
    if name != "a b'c;[x]*":
        export(root)
    else:
        built = run_dbt(root, tmp_path / "scratch", "build")
        assert built.returncode == 0, built.stdout
    assert faults.contents(faults.published(root)) == wanted
    assert faults.is_valid(root)


def test_a_root_below_folders_that_look_like_columns(
    exported_once: Path, tmp_path: Path
) -> None:
    names = ("status_text=x", "problem=x", "raw=x", "at=x", "source=x", "name=x")
    days = ("Day=x", "day=2020-01-01", "part_path=x", "filename=x", "year=1")
    root = copy_root(EXAMPLE_ROOT, tmp_path.joinpath(*names, *days))
    wanted = faults.contents(faults.published(exported_once))
    export(root)
    assert faults.contents(faults.published(root)) == wanted
    assert faults.is_valid(root)
    for path in list(wanted)[::4]:
        (root / path).unlink()
    built = run_dbt(root, tmp_path / "scratch", "build")
    assert built.returncode == 0, built.stdout
    assert faults.contents(faults.published(root)) == wanted
    assert faults.is_valid(root)


def test_a_project_below_folders_that_look_like_columns(
    empty_root: Path, tmp_path: Path
) -> None:
    (tmp_path / "name=zz").mkdir()
    project = copy_project(tmp_path / "name=zz" / "source=y")
    done = run_dbt(empty_root, tmp_path, "seed --select known_columns", project=project)
    assert done.returncode == 0, done.stdout
    with duckdb.connect(str(tmp_path / "ops_atomic.duckdb")) as db:
        found = db.sql("select source, name, requirement from known_columns").fetchall()
    with (project / "seeds/known_columns.csv").open(encoding="utf-8") as lines:
        assert found == [tuple(row) for row in [*csv.reader(lines)][1:]]


def test_a_root_that_duckdb_would_misread_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a\\b").mkdir()
    done = CliRunner().invoke(main, ["export", "--root", str(tmp_path / "a\\b")])
    assert done.exit_code == 2
    assert "backslash" in done.output


def test_hostile_names_and_values(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    root = tmp_path / "root"
    reports = root / "g" / "reports"
    at = "2025-10-27T01:00:00Z"
    flat = NASTY.replace("/", "_")
    folder = reports / flat
    beat = faults.heartbeat(at, checks=f"- **{VALUE}:** ✅ {VALUE}\n")
    write(folder / "heartbeat_2025-10-27_01-00-00.md", beat)
    undecodable = os.fsdecode(b"\xff\xfe")
    write(
        reports / undecodable / "heartbeat_2025-10-27_02-00-00.md",
        faults.heartbeat("2025-10-27T02:00:00Z", status=VALUE),
    )
    write(reports / f"optimization_summary_{flat}.txt", f"{VALUE}\n{VALUE}: 12 ms\n")
    write(reports / f"optimization_summary_{undecodable}.txt", "a: 1\n")
    row = f'{at},"{VALUE}",S,1,1,1,true,"{VALUE}","{VALUE}"\n'
    write(reports / "query_perf_daily_20251027.csv", faults.HEADER + row)
    write(reports / "query_perf.jsonl", f'{{"ts":"{at}","query":"{VALUE[:40]}"}}\n')
    write(
        root / "knowledge/optimize/index_advisor_report.json",
        f'{{"timestamp":"{at}","recommendations":[{{"table":"x\'; drop","index":'
        f'"i; --","query_pattern":"q","estimated_speedup":1,"priority":"p"}}]}}',
    )
    before = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    done = export(root)
    assert {path.name for path in before} == {p.name for p in tmp_path.iterdir()}
    assert not list(tmp_path.rglob("pwned*"))
    assert not faults.conservation(root), done.warnings
    assert (VALUE, VALUE) in faults.rows(root, faults.QUERIES, "query_hash, table_name")
    names = {row[0] for row in faults.rows(root, faults.BEATS, "filename")}
    assert len(names) == 2
    assert (VALUE,) in faults.rows(root, faults.CHECKS, "check_name")
    assert faults.is_valid(root)
    assert not export(root).paths("exported")
    assert not export(root, "--historical").paths("exported")
    log = (root / "g/logs/parquet_export.log").read_text().splitlines()
    assert all(line.startswith("[20") for line in log)


@pytest.mark.parametrize("umask", [0o022, 0o000, 0o077])
def test_raw_input_is_for_its_owner_only(umask: int, root: Path) -> None:
    before = os.umask(umask)
    try:
        write(root / "g/reports/query_perf_daily_20251020.csv", "junk\n")
        export(root)
    finally:
        os.umask(before)
    private = [root / faults.STATE, root / "g/analytics/rejected_records"]
    for top in private:
        for path in [top, *top.rglob("*")]:
            wanted = 0o700 if path.is_dir() else 0o600
            assert path.stat().st_mode & 0o777 == wanted, path
    for path in root.rglob("*_20251020.parquet"):
        if "rejected" not in path.name:
            assert path.stat().st_mode & 0o777 == 0o666 & ~umask, path
