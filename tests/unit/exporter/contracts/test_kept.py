"""Contracts that are kept: only for the files that they were read from."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import pytest

from exporter.contracts import kept
from exporter.contracts.datasets import load_datasets
from exporter.contracts.kept import TABLES, load_tables
from exporter.contracts.marts import load_marts
from exporter.runtime import kept as kept_files
from ingest.root import PROJECT
from tests.support import copy_project


def refuse(*_: Any, **__: Any) -> None:
    raise AssertionError("read again")


def test_what_is_kept_is_what_would_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = load_tables(tmp_path)
    monkeypatch.setattr(kept, "load_datasets", refuse)
    assert load_tables(tmp_path) == first == (load_datasets(), load_marts())
    # A mart stands behind those that it reads.
    assert list(load_tables(tmp_path)[1]) == list(load_marts())


def test_what_is_asked_of_a_table_is_no_part_of_what_is_kept(tmp_path: Path) -> None:
    load_tables(tmp_path)
    before = (tmp_path / TABLES).read_bytes()
    for tables in load_tables(tmp_path):
        assert all(table.name_pattern for table in tables.values())
    load_tables(tmp_path)
    assert (tmp_path / TABLES).read_bytes() == before


def test_what_is_damaged_is_read_again(tmp_path: Path) -> None:
    first = load_tables(tmp_path)
    data = (tmp_path / TABLES).read_bytes()
    for damaged in (b"", data[:40], data[:-1], data[:99] + b"?" + data[100:]):
        (tmp_path / TABLES).write_bytes(damaged)
        assert load_tables(tmp_path) == first
        assert (tmp_path / TABLES).read_bytes() == data


@pytest.mark.parametrize(
    "name",
    [
        "dbt_project.yml", "macros/typing.sql", "seeds/masks.csv",
        "seeds/slo_targets.yml", "models/marts/exports/ops_atomic.yml",
        "models/staging/stg_heartbeats.sql", "ingest/sources/heartbeats.py",
        "exporter/contracts/lineage.py",
    ],
)  # fmt: skip
def test_they_are_read_again_when_a_file_has_changed(name: str, tmp_path: Path) -> None:
    project = copy_project(tmp_path / "project")
    before = kept._key(project)
    assert kept._key(project) == before
    with (project / name).open("a", encoding="utf-8") as stream:
        stream.write("\n")
    assert kept._key(project) != before


def test_every_file_that_is_read_is_held_against(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held: set[Path] = set()

    def fingerprint(paths: Any) -> bytes:
        held.update(paths)
        return b"k" * 32

    monkeypatch.setattr(kept, "fingerprint", fingerprint)
    opened = []
    is_on = [True]

    def listen(event: str, args: tuple[Any, ...]) -> None:
        if event == "open" and is_on and isinstance(args[0], (str, os.PathLike)):
            opened.append(Path(args[0]))

    sys.addaudithook(listen)
    try:
        load_tables(tmp_path)
    finally:
        is_on.clear()
    ours = {path for path in opened if path.is_relative_to(PROJECT)}
    ours = {p for p in ours if not {".venv", "__pycache__"} & {*p.parts}}
    assert len(ours) > 100
    assert ours - held == set()


def test_a_file_that_changes_meanwhile_is_not_taken_for_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = iter([b"a" * 32, b"b" * 32])
    monkeypatch.setattr(kept, "fingerprint", lambda _: next(keys))
    load_tables(tmp_path)
    assert not (tmp_path / TABLES).exists()


def test_nothing_is_kept_in_the_environment_of_another_project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "environment" / "share"
    monkeypatch.setattr(kept_files, "KEPT", place)
    monkeypatch.setattr(kept_files, "ENVIRONMENT", tmp_path / "environment")
    load_tables(place)
    assert not place.exists()
    monkeypatch.setattr(kept_files, "PROJECT", tmp_path)
    load_tables(place)
    assert (place / TABLES).exists()


def test_where_nothing_may_be_written_they_are_read_each_time(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    assert load_tables(tmp_path / "file" / "folder") == load_tables(tmp_path)
