"""What has not changed is not read again, and what is damaged is still found."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from exporter.cli.main import main
from exporter.fleet.check import CheckedFiles, check_files
from exporter.fleet.contents import Contents
from exporter.fleet.memory import NAME, Memory
from tests.fleets import Fleet

DAY = date(2025, 1, 10)


@pytest.fixture
def fleet(tmp_path: Path) -> Fleet:
    """Two machines of a day each, with a mart, and a folder of the fleet's marts."""
    fleet = Fleet(tmp_path / "fleet")
    for machine in ("a", "b"):
        fleet.heartbeat(machine, DAY)
        fleet.publish(machine, "rejected_records", DAY)
        fleet.mart(machine, machine)
    marts(fleet).mkdir()
    return fleet


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The paths that DuckDB was asked for."""
    asked: list[str] = []
    real = Contents._each

    def each(self: Contents, paths: list[str], query: str) -> Any:
        asked.extend(paths)
        return real(self, paths, query)

    monkeypatch.setattr(Contents, "_each", each)
    return asked


def marts(fleet: Fleet) -> Path:
    return fleet.path / "marts"


def checked(fleet: Fleet) -> CheckedFiles:
    return check_files(Memory(fleet.path, marts(fleet)), fleet.datasets, DAY)


def test_what_has_not_changed_is_not_read_again(fleet: Fleet, read: list[str]) -> None:
    first = checked(fleet)
    assert len(set(read)) == 6
    read.clear()
    again = checked(fleet)
    assert read == []
    assert (again.good, again.machines) == (first.good, first.machines)

    fleet.heartbeat("c", DAY)
    checked(fleet)
    assert {path.split("/")[0] for path in read} == {"machine=c"}


def test_a_hole_that_keeps_size_and_time_is_found(fleet: Fleet) -> None:
    assert checked(fleet).kept_out == []
    path = fleet.place("a", "ops_atomic", DAY)
    before, whole = path.stat(), path.read_bytes()
    path.write_bytes(whole[:4] + bytes(300) + whole[304:])
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert path.stat().st_size == before.st_size
    for _ in range(2):
        assert [out.kind for out in checked(fleet).kept_out] == ["damaged"]
    path.write_bytes(whole)
    assert checked(fleet).kept_out == []


def test_what_is_remembered_is_judged_anew(fleet: Fleet) -> None:
    """As it is by another version, of other schemas."""
    checked(fleet)
    raised = replace(fleet.datasets["ops_atomic"], schema_version=99)
    found = check_files(
        Memory(fleet.path, marts(fleet)), {**fleet.datasets, "ops_atomic": raised}, DAY
    )
    assert [out.kind for out in found.kept_out] == ["older", "older"]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"storage": 1}', "null"])
def test_a_memory_that_cannot_be_read_says_nothing(fleet: Fleet, text: str) -> None:
    first = checked(fleet)
    (marts(fleet) / NAME).write_text(text)
    assert checked(fleet).good == first.good
    assert (marts(fleet) / NAME).read_text() != text


def test_a_copy_of_the_memory_of_another_storage_says_nothing(
    fleet: Fleet, tmp_path: Path, read: list[str]
) -> None:
    checked(fleet)
    read.clear()
    moved = tmp_path / "moved"
    fleet.path.rename(moved)
    check_files(Memory(moved, moved / "marts"), fleet.datasets, DAY)
    assert len(set(read)) == 6


def test_without_marts_nothing_is_written(fleet: Fleet) -> None:
    marts(fleet).rmdir()
    before = sorted(fleet.path.rglob("*"))
    assert len(checked(fleet).good) == 4
    assert sorted(fleet.path.rglob("*")) == before


def test_the_command_remembers_and_reads_again_in_full(
    fleet: Fleet, read: list[str]
) -> None:
    def check(*arguments: str) -> None:
        done = CliRunner().invoke(
            main, ["fleet", "check", str(fleet.path), *arguments],
            env={"OPS_ATOMIC_AS_OF": "2025-01-10T12:00:00Z"},
        )  # fmt: skip
        assert done.exit_code == 0, done.output

    check()
    read.clear()
    check()
    assert read == []
    check("--full")
    assert len(set(read)) == 6
