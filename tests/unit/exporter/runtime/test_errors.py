"""Errors of the operating system name what helps."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from click.testing import CliRunner

from exporter.runtime.errors import describe


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of this user, seen by another one to whom it is closed."""
    state = tmp_path / "it's" / "state"
    (state / "runs").mkdir(parents=True)
    me, access = os.geteuid(), os.access

    def seen(path: object, mode: int) -> bool:
        return state not in (Path(str(path)), *Path(str(path)).parents) or (
            mode == os.F_OK and access(str(path), mode)
        )

    monkeypatch.setattr("os.geteuid", lambda: me + 12345)
    monkeypatch.setattr("os.access", seen)
    return state


def denied(path: Path) -> PermissionError:
    return PermissionError(errno.EACCES, "Permission denied", str(path))


def test_what_belongs_to_another_user_is_said_to(state: Path) -> None:
    said = describe(denied(state / "runs" / "x"))
    assert f"{state} belongs to " in said
    command = said.rpartition(": run ")[2]
    assert command.startswith("sudo chown -R ")
    assert "'it'\"'\"'s/state'" in command or "it'\"'\"'s/state'" in command


def test_what_is_ones_own_is_not_given_away(tmp_path: Path) -> None:
    said = describe(denied(tmp_path / "x"))
    assert said.endswith("(give this user the right to it, or run as its owner)")


@pytest.mark.parametrize("command", ["doctor", "verify"])
def test_no_command_shows_a_traceback(
    state: Path, empty_root: Path, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from exporter.cli.main import main
    from exporter.verify import run

    def refuse(*_: object) -> None:
        raise denied(state / "runs")

    monkeypatch.setattr(run, "last_run", refuse)
    done = CliRunner().invoke(main, [command, "--root", str(empty_root)])
    assert done.exit_code == 1
    assert isinstance(done.exception, SystemExit)
    [line] = done.stderr.splitlines()
    assert line.startswith("Error: ")
    assert "belongs to" in line
