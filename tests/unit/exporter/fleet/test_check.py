"""Which files of a fleet count, and which are named and kept out."""

from __future__ import annotations

import errno
import json
import os
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from exporter.cli.main import main
from exporter.fleet.check import CheckedFiles, check_files
from exporter.fleet.memory import Memory
from exporter.runtime.machine import check_name
from tests.fleets import Fleet, heartbeats

DAY = date(2025, 1, 10)
NEXT = DAY + timedelta(days=1)


@pytest.fixture
def fleet(tmp_path: Path) -> Fleet:
    """Two machines of two days each."""
    fleet = Fleet(tmp_path / "fleet")
    for machine in ("a", "b"):
        for day in (DAY, NEXT):
            fleet.heartbeat(machine, day)
            fleet.publish(machine, "rejected_records", day)
    return fleet


def checked(fleet: Fleet, today: date = NEXT) -> CheckedFiles:
    return check_files(Memory(fleet.path), fleet.datasets, today)


def check(fleet: Fleet, *arguments: str, now: str = "2025-01-11T12:00:00Z") -> Result:
    return CliRunner().invoke(
        main,
        ["fleet", "check", str(fleet.path), *arguments],
        env={"OPS_ATOMIC_AS_OF": now},
    )


def kept_out(fleet: Fleet) -> set[tuple[str, str]]:
    """(path, kind) of what is kept out; all the rest counts."""
    found = checked(fleet)
    out = {(out.path, out.kind) for out in found.kept_out}
    count = sum(machine.kept_out for machine in found.machines.values())
    files = sum(machine.files for machine in found.machines.values())
    assert len(found.good) == files - count
    return out


def relative(fleet: Fleet, path: Path) -> str:
    return path.relative_to(fleet.path).as_posix()


def test_what_machines_publish_counts(fleet: Fleet) -> None:
    found = checked(fleet)
    assert found.kept_out == []
    assert len(found.good) == 8
    assert {good.rows for good in found.good} == {0, 1}


@pytest.mark.parametrize("bytes_left", [0, 3, 100, -5])
def test_a_half_synced_file_is_kept_out(fleet: Fleet, bytes_left: int) -> None:
    path = fleet.place("a", "ops_atomic", DAY)
    path.write_bytes(path.read_bytes()[:bytes_left])
    assert kept_out(fleet) == {(relative(fleet, path), "damaged")}


def test_a_file_with_a_hole_is_kept_out(fleet: Fleet) -> None:
    path = fleet.place("a", "ops_atomic", DAY)
    whole = path.read_bytes()
    path.write_bytes(whole[:4] + bytes(300) + whole[304:])
    assert kept_out(fleet) == {(relative(fleet, path), "damaged")}


def test_what_is_no_file_is_kept_out(fleet: Fleet) -> None:
    path = fleet.place("a", "ops_atomic", DAY)
    path.unlink()
    os.mkfifo(path)
    assert kept_out(fleet) == {(relative(fleet, path), "damaged")}


def test_a_damaged_mart_of_a_machine_is_named_and_the_machine_counts(
    fleet: Fleet,
) -> None:
    path = fleet.mart("a", "a")
    path.write_bytes(path.read_bytes()[:-9])
    assert kept_out(fleet) == {(relative(fleet, path), "damaged")}
    assert len(checked(fleet).good) == 8


def test_a_file_of_other_columns_is_kept_out(fleet: Fleet) -> None:
    path = fleet.place("a", "ops_atomic", DAY)
    other = fleet.datasets["rejected_records"]
    fleet.publish("c", other.name, DAY)
    footer = {"dataset": "ops_atomic", "schema_version": "1"}
    fleet.write("c", other, DAY, "rows", "", **footer).replace(path)
    assert kept_out(fleet) == {(relative(fleet, path), "damaged")}


def test_a_day_in_the_future_is_kept_out_until_it_comes(fleet: Fleet) -> None:
    ahead = fleet.heartbeat("a", NEXT + timedelta(days=1))
    assert kept_out(fleet) == {(relative(fleet, ahead), "future")}
    assert checked(fleet).machines["a"].newest == NEXT
    assert checked(fleet, NEXT + timedelta(days=1)).kept_out == []


@pytest.mark.parametrize(("version", "kind"), [("0", "older"), ("9", "newer")])
def test_other_schema_versions_are_kept_out(
    fleet: Fleet, version: str, kind: str
) -> None:
    path = fleet.heartbeat("a", DAY, schema_version=version)
    assert kept_out(fleet) == {(relative(fleet, path), kind)}
    assert checked(fleet).machines["a"].schemas == {kind, "current"}


def test_another_programs_file_is_kept_out(fleet: Fleet) -> None:
    path = fleet.place("a", "ops_atomic", DAY)
    fleet.db.execute(f"copy (select 1 as x) to '{path}'")
    assert kept_out(fleet) == {(relative(fleet, path), "foreign")}


def test_a_file_of_another_day_is_kept_out(fleet: Fleet) -> None:
    path = fleet.place("a", "ops_atomic", DAY)
    path.write_bytes(fleet.place("a", "ops_atomic", NEXT).read_bytes())
    rows = fleet.publish("b", "ops_atomic", DAY, heartbeats(NEXT))
    assert kept_out(fleet) == {
        (relative(fleet, path), "misplaced"),
        (relative(fleet, rows), "misplaced"),
    }


def test_a_folder_that_its_marts_contradict_is_kept_out(fleet: Fleet) -> None:
    fleet.mart("a", "a")
    fleet.mart("b", "c")
    assert kept_out(fleet) == {("machine=b", "other name")}


def test_one_machine_in_two_folders_counts_once(fleet: Fleet) -> None:
    fleet.mart("a", "a")
    fleet.heartbeat("copy", DAY, source_fingerprint="same")
    fleet.heartbeat("a", DAY, source_fingerprint="same")
    assert kept_out(fleet) == {("machine=copy", "twice")}


def test_one_machine_without_heartbeats_in_two_folders_counts_once(
    fleet: Fleet,
) -> None:
    fleet.mart("a", "a")
    run = f"select timestamp '{DAY}' as started_at, date '{DAY}' as date_partition"
    for machine in ("a", "copy"):
        fleet.publish(machine, "run_log", DAY, run, source_fingerprint="same")
    assert kept_out(fleet) == {("machine=copy", "twice")}
    assert "the same runs as machine=a" in check(fleet).output


def test_a_name_that_a_machine_may_have_a_folder_may_have(fleet: Fleet) -> None:
    for name in ("_db.1", "-x"):
        fleet.heartbeat(name, DAY)
        fleet.mart(name, check_name(name))
    assert kept_out(fleet) == set()


def test_of_two_folders_that_nothing_tells_apart_neither_counts(fleet: Fleet) -> None:
    for machine in ("a", "b"):
        fleet.heartbeat(machine, DAY, source_fingerprint="same")
    assert kept_out(fleet) == {("machine=a", "twice"), ("machine=b", "twice")}


def test_machines_that_their_marts_tell_apart_are_two(fleet: Fleet) -> None:
    for machine in ("a", "b"):
        fleet.mart(machine, machine)
        fleet.heartbeat(machine, DAY, source_fingerprint="same")
    assert kept_out(fleet) == set()


def test_a_name_that_paths_do_not_take_is_kept_out(fleet: Fleet) -> None:
    fleet.heartbeat("a*", DAY)
    fleet.heartbeat("a b", DAY)
    assert kept_out(fleet) == {
        ("machine=a*", "odd name"),
        ("machine=a b", "odd name"),
    }


def test_what_a_sync_is_writing_is_no_file_yet(fleet: Fleet) -> None:
    path = fleet.place("a", "ops_atomic", DAY)
    (path.parent / f".{path.name}.x7Kq2p").write_bytes(b"PAR1")
    (fleet.path / "machine=a" / "g" / "analytics" / "notes.txt").write_text("x")
    assert kept_out(fleet) == set()


def test_what_a_sync_is_writing_beside_a_mart_is_no_mart_yet(fleet: Fleet) -> None:
    """As rsync's --delay-updates and --partial-dir do, in folders of their own."""
    mart = fleet.mart("a", "a")
    for name in (".~tmp~", ".rsync-partial"):
        (mart.parent / name).mkdir()
        (mart.parent / name / mart.name).write_bytes(b"PAR1")
    assert kept_out(fleet) == set()


def test_a_folder_that_lies_nowhere_is_named(fleet: Fleet) -> None:
    (fleet.path / "machine=far").symlink_to(fleet.path / "not mounted")
    (fleet.path / "machine=round").symlink_to("machine=round")
    (fleet.path / "machine=a.zip").write_bytes(b"PK")
    here = fleet.path / "machine=a" / "g" / "analytics" / "here"
    here.symlink_to("here")
    assert kept_out(fleet) == {("machine=far", "closed"), ("machine=round", "closed")}


def test_folders_that_go_round_are_named_and_the_rest_counts(fleet: Fleet) -> None:
    fleet.publish("a", "query_perf", DAY)
    top = fleet.path / "machine=a" / fleet.datasets["query_perf"].folder
    (top / "self").symlink_to(".")
    assert {kind for _, kind in kept_out(fleet)} == {"closed"}
    assert len(checked(fleet).good) == 9


def test_what_this_user_may_not_read_is_named_and_the_rest_counts(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder once, by the topmost one; and a file, which is not called damaged."""
    shut = fleet.path / "machine=b"
    file = fleet.place("a", "ops_atomic", DAY)
    scandir, access = os.scandir, os.access

    def refused(path: Any) -> bool:
        return Path(path) == file or shut in [Path(path), *Path(path).parents]

    def listed(path: Any) -> Any:
        if refused(path):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        return scandir(path)

    # For root there is nothing that it may not read.
    monkeypatch.setattr(os, "scandir", listed)
    monkeypatch.setattr(
        os, "access", lambda path, mode: not refused(path) and access(path, mode)
    )
    assert kept_out(fleet) == {
        ("machine=b", "closed"),
        (relative(fleet, file), "closed"),
    }
    assert len(checked(fleet).good) == 3
    done = check(fleet)
    assert done.exit_code == 1
    assert "machine=b: cannot be read: Permission denied; let this user" in done.output


def test_a_missing_day_has_no_file_at_all(fleet: Fleet) -> None:
    fleet.publish("a", "rejected_records", DAY - timedelta(days=1))
    fleet.heartbeat("a", DAY - timedelta(days=4))
    missing = checked(fleet).machines["a"].missing
    assert missing == [DAY - timedelta(days=3), DAY - timedelta(days=2)]


def test_silence_and_missing_days_are_nothing_wrong(fleet: Fleet) -> None:
    fleet.heartbeat("a", DAY - timedelta(days=4))
    done = check(fleet, now="2025-03-01T00:00:00Z")
    assert done.exit_code == 0, done.output
    assert "49 d" in done.output
    assert "a misses 2025-01-07 to 2025-01-09" in done.output


def test_what_is_wrong_is_told_with_its_remedy(fleet: Fleet) -> None:
    path = fleet.place("a", "ops_atomic", DAY)
    path.write_bytes(b"PAR1")
    done = check(fleet)
    assert done.exit_code == 1
    assert f"✗ {relative(fleet, path)}: damaged or half synced" in done.output
    assert "sync it again from a" in done.output


def test_many_files_of_one_fault_are_one_line(fleet: Fleet) -> None:
    for day in range(1, 10):
        fleet.heartbeat("a", date(2024, 12, day), schema_version="9")
    done = check(fleet)
    assert done.output.count("✗") == 1
    assert "✗ 9 files of a, from " in done.output


def test_the_table_fits_eighty_columns(fleet: Fleet) -> None:
    fleet.heartbeat("a-rather-long-name-of-a-machine.example.org", DAY)
    lines = check(fleet).output.splitlines()
    assert max(map(len, lines)) <= 80
    assert [line.split()[0] for line in lines[1:4]] == [
        "a", "a-rather-long-name-of-a…", "b",
    ]  # fmt: skip


def test_json_says_all_of_it(fleet: Fleet) -> None:
    ahead = fleet.heartbeat("b", NEXT + timedelta(days=30))
    done = check(fleet, "--json")
    assert done.exit_code == 1
    said = json.loads(done.stdout)
    assert said["status"] == "failed"
    assert said["files"] == 8
    assert said["machines"][1] == {
        "machine": "b", "first_day": "2025-01-10", "newest_day": "2025-01-11",
        "age_days": 0, "missing_days": [],
        "schema_versions": {"ops_atomic": [1], "rejected_records": [1]},
        "files": 5, "kept_out": 1,
    }  # fmt: skip
    (out,) = said["kept_out"]
    assert (out["path"], out["kind"]) == (relative(fleet, ahead), "future")
    assert "clock of b" in out["remedy"]


@pytest.mark.parametrize(
    ("named", "said"),
    [
        ("s3://bucket/fleet", "mount that store, or sync it into a folder"),
        ("fleet/machine=a", "is one machine's folder: name the one above it"),
    ],
)
def test_what_is_no_storage_is_answered_with_a_way_out(
    fleet: Fleet, named: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(fleet.path.parent)
    done = CliRunner().invoke(main, ["fleet", "check", named])
    assert done.exit_code == 2
    assert said in " ".join(done.output.split())


def test_a_home_that_the_shell_did_not_expand_is_found(fleet: Fleet) -> None:
    home = {"HOME": str(fleet.path.parent), "OPS_ATOMIC_AS_OF": "2025-01-11T12:00:00Z"}
    done = CliRunner().invoke(main, ["fleet", "check", "~/fleet"], env=home)
    assert done.exit_code == 0, done.output


def test_a_folder_without_machines_is_wrong_usage(tmp_path: Path) -> None:
    done = check(Fleet(tmp_path))
    assert done.exit_code == 2
    assert "no folder machine=<name>" in done.output
