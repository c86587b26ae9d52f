"""A real SQLite file is asked, told apart, and left as it lies."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from monitor.checks.database import check_database
from monitor.checks.result import Failed
from monitor.settings import Database

CHECK = Database("error", 0.5, "a b?#%.db")


def make(root: Path, mode: str = "delete") -> sqlite3.Connection:
    connection = sqlite3.connect(root / CHECK.path, isolation_level=None)
    connection.execute(f"pragma journal_mode = {mode}")
    connection.execute("create table docs (id)")
    return connection


def fault(root: Path) -> str:
    with pytest.raises(Failed) as failed:
        check_database(CHECK, root)
    return str(failed.value)


@pytest.mark.parametrize("mode", ["delete", "wal"])
def test_a_database_responds_and_nothing_is_made(mode: str, tmp_path: Path) -> None:
    make(tmp_path, mode).close()
    before = (tmp_path / CHECK.path).read_bytes()
    assert check_database(CHECK, tmp_path) == "Database responding"
    assert os.listdir(tmp_path) == [CHECK.path]
    assert (tmp_path / CHECK.path).read_bytes() == before


def test_one_that_is_written_to_responds(tmp_path: Path) -> None:
    writer = make(tmp_path, "wal")
    writer.execute("begin immediate")
    writer.execute("insert into docs values (1)")
    assert check_database(CHECK, tmp_path) == "Database responding"
    writer.execute("commit")
    writer.close()


def test_a_missing_one_is_not_made(tmp_path: Path) -> None:
    assert fault(tmp_path) == "Database file is missing"
    assert not os.listdir(tmp_path)


def test_a_locked_one_is_told(tmp_path: Path) -> None:
    writer = make(tmp_path)
    writer.execute("begin exclusive")
    assert fault(tmp_path) == "Database is locked by another program"
    writer.close()


def _garbage(path: Path) -> None:
    path.write_text("this is no database at all\n" * 100)


def _empty(path: Path) -> None:
    path.touch()


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (_garbage, "Database file is not a SQLite database"),
        (_empty, "Database file is empty: nothing was ever written to it"),
        (Path.mkdir, "Database cannot be read: Is a directory"),
    ],
)
def test_what_is_no_database_is_told(
    spoil: Callable[[Path], None], said: str, tmp_path: Path
) -> None:
    spoil(tmp_path / CHECK.path)
    assert fault(tmp_path) == said
