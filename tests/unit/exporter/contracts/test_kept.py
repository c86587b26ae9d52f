"""Contracts that are kept: only for the files that they were read from."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from exporter.contracts import kept
from exporter.contracts.datasets import BrokenContract, load_datasets
from exporter.contracts.kept import TABLES, keep_tables, load_tables, take_tables
from exporter.contracts.lineage import Code
from exporter.contracts.marts import load_marts
from exporter.runtime import kept as kept_files
from ingest.root import PROJECT
from tests.support import clean_environment, copy_project


def refuse(*_: Any, **__: Any) -> None:
    raise AssertionError("read again")


def test_what_is_kept_is_what_would_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep_tables(tmp_path)
    read = load_datasets(), load_marts()
    monkeypatch.setattr(kept, "load_datasets", refuse)
    assert take_tables(tmp_path) == read
    # A mart stands behind those that it reads.
    assert list(take_tables(tmp_path)[1]) == list(read[1])
    assert take_tables(tmp_path) is not take_tables(tmp_path)


def test_what_is_damaged_or_of_other_classes_is_read_again(tmp_path: Path) -> None:
    keep_tables(tmp_path)
    first, data = take_tables(tmp_path), (tmp_path / TABLES).read_bytes()
    for damaged in (b"", data[:40], data[:-1], data[:99] + b"?" + data[100:]):
        (tmp_path / TABLES).write_bytes(damaged)
        assert take_tables(tmp_path) == first
    # cos.gone: a class that is there no more
    kept_files.keep(tmp_path / TABLES, kept._key(PROJECT), b"cos\ngone\n.")
    assert take_tables(tmp_path) == first


def test_a_process_goes_on_with_the_contracts_that_it_began_with(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    began = load_tables()
    monkeypatch.setattr(kept, "take_tables", refuse)
    assert load_tables() is began


def test_a_model_that_reads_what_is_not_there_is_a_broken_contract(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = copy_project(tmp_path / "project")
    model = project / "models" / "staging" / "telemetry" / "stg_telemetry.sql"
    text = model.read_text("utf-8")
    read = "source('landing', 'telemetry')"
    assert read in text
    model.write_text(text.replace(read, "ref('x')"), "utf-8")
    monkeypatch.setattr(kept, "Code", lambda: Code(project))
    with pytest.raises(BrokenContract, match="there is no model x"):
        take_tables(tmp_path)


def test_a_command_keeps_nothing(tmp_path: Path) -> None:
    take_tables(tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "name",
    [
        "dbt_project.yml", "macros/typing.sql", "seeds/masks.csv",
        "seeds/slo_targets.yml", "models/marts/exports/ops_atomic.yml",
        "models/staging/heartbeats/stg_heartbeats.sql",
        "ingest/sources/heartbeats.py", "exporter/contracts/lineage.py",
    ],
)  # fmt: skip
def test_they_are_read_again_when_a_file_has_changed(name: str, tmp_path: Path) -> None:
    project = copy_project(tmp_path / "project")
    assert (project / name).is_file()
    before = kept._key(project)
    assert kept._key(project) == before
    with (project / name).open("a", encoding="utf-8") as stream:
        stream.write("\n")
    assert kept._key(project) != before


# In a process in which nothing was read yet.
TELL = """
import os, sys
from pathlib import Path
from exporter.contracts import kept
opened = []
def listen(event, args):
    if event == "open" and isinstance(args[0], (str, os.PathLike)):
        opened.append(os.fspath(args[0]))
sys.addaudithook(listen)
kept._read_tables()
print(*opened, sep="\\n")
"""


def test_every_file_that_is_read_is_held_against(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", TELL], cwd=PROJECT, env=clean_environment(tmp_path),
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    opened = {Path(line) for line in done.stdout.splitlines()}
    ours = {path for path in opened if path.is_relative_to(PROJECT)}
    ours = {p for p in ours if not {".venv", "__pycache__"} & {*p.parts}}
    held = {PROJECT / kept.SETTINGS}
    held.update(kept_files.files_below(PROJECT, kept.FOLDERS, *kept.ENDS))
    assert len(ours) > 100
    assert ours - held == set()


def test_a_file_that_changes_meanwhile_is_not_taken_for_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = iter([b"a" * 32, b"b" * 32])
    monkeypatch.setattr(kept, "fingerprint", lambda _: next(keys))
    keep_tables(tmp_path)
    assert not (tmp_path / TABLES).exists()


def test_nothing_is_kept_in_the_environment_of_another_project_nor_read_from_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "environment" / "share"
    monkeypatch.setattr(kept_files, "KEPT", place)
    monkeypatch.setattr(kept_files, "ENVIRONMENT", tmp_path / "environment")
    keep_tables(place)
    assert not place.exists()
    monkeypatch.setattr(kept_files, "PROJECT", tmp_path)
    keep_tables(place)
    key = kept._key(PROJECT)
    assert kept_files.read_kept(place / TABLES, key)
    monkeypatch.setattr(kept_files, "PROJECT", PROJECT)
    assert kept_files.read_kept(place / TABLES, key) is None


def test_where_nothing_may_be_written_they_are_read_each_time(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    keep_tables(tmp_path / "file" / "folder")
    assert take_tables(tmp_path / "file" / "folder") == take_tables(tmp_path)
