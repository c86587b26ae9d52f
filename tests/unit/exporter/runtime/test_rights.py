from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from exporter.runtime.rights import keep_dbt_private, users_umask


@pytest.fixture(autouse=True)
def umask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def made(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("x")
    return path


def keep(folder: Path) -> None:
    flags = SimpleNamespace(TARGET_PATH=folder / "target", LOG_PATH=folder / "logs")
    keep_dbt_private(str(folder / "x.duckdb"), flags)


def test_the_users_umask_is_only_looked_at() -> None:
    assert users_umask() == 0o022
    assert users_umask() == 0o022


def test_what_is_made_from_then_on_is_private(tmp_path: Path) -> None:
    keep(tmp_path)
    assert mode(made(tmp_path / "new/file")) == 0o600
    assert mode(tmp_path / "new") == 0o700


def test_what_lies_there_is_taken_from_others(tmp_path: Path) -> None:
    names = ("x.duckdb", "x.duckdb.wal", "target/manifest.json", "target/a/b.sql")
    files = [made(tmp_path / name) for name in (*names, "logs/dbt.log")]
    keep(tmp_path)
    assert {mode(path) for path in files} == {0o600}
    assert {mode(tmp_path / name) for name in ("target", "target/a", "logs")} == {0o700}


@pytest.mark.parametrize("beside", ["dbt_project.yml", None])
def test_a_folder_of_somebody_else_stays(tmp_path: Path, beside: str | None) -> None:
    mine = made(tmp_path / "target/mine")
    if beside:
        made(tmp_path / "target/manifest.json")
        made(tmp_path / "target" / beside)
    other = made(tmp_path / "logs/other.log")
    log = made(tmp_path / "logs/dbt.log")
    keep(tmp_path)
    assert (mode(mine), mode(other), mode(log)) == (0o644, 0o644, 0o600)
    assert (mode(mine.parent), mode(other.parent)) == (0o755, 0o755)


def test_nothing_need_lie_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    keep_dbt_private(":memory:", SimpleNamespace())
    keep(tmp_path)
    assert list(tmp_path.iterdir()) == []
