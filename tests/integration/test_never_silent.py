"""What may take longer than a second says what is being done meanwhile."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from exporter.agents.errors import AgentError
from exporter.export import finish, run
from exporter.reporting.screen import Screen

Cli = Callable[..., Result]


@pytest.fixture
def doing(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What a terminal would show at this moment, outermost first."""
    labels: list[str] = []

    @contextlib.contextmanager
    def progress(screen: Screen, label: str, total: int = 0):  # type: ignore[no-untyped-def]
        labels.append(label)
        try:
            yield lambda _: None
        finally:
            labels.remove(label)

    monkeypatch.setattr(Screen, "progress", progress)
    return labels


@pytest.fixture
def seen(doing: list[str], monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """What was shown last when a slow step was reached."""
    seen: dict[str, str] = {}

    def watch(module: object, name: str, result: object = None) -> None:
        def watched(*args: object, **kwargs: object) -> object:
            seen[name] = doing[-1] if doing else ""
            return result

        monkeypatch.setattr(module, name, watched)

    watch(finish, "ping", True)
    watch(finish, "deliver", [])
    watch(run, "hold_lock")
    watch(run, "conclude")

    def no_manager() -> None:
        seen["this_system"] = doing[-1] if doing else ""
        raise AgentError("no manager of jobs here")

    monkeypatch.setattr("exporter.agents.service.this_system", no_manager)
    monkeypatch.setattr("sys.platform", "linux")
    return seen


def test_a_run_is_not_silent(cli: Cli, empty_root: Path, seen: dict[str, str]) -> None:
    cli("export", empty_root, "--wait", "5")
    assert seen == {
        "hold_lock": "Waiting for another run to end",
        "conclude": "Writing down how it went",
        "deliver": "Telling how it went",
        "ping": "Telling how it went",
    }


@pytest.mark.parametrize("command", ["verify", "doctor"])
def test_checks_are_not_silent(
    cli: Cli, empty_root: Path, seen: dict[str, str], command: str
) -> None:
    cli(command, empty_root)
    assert seen["this_system"] == "Looking at the installation"


def test_a_triggered_run_is_not_silent(
    cli: Cli, empty_root: Path, doing: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[str] = []

    def export(*args: object) -> None:
        shown.extend(doing)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("exporter.verify.run.export", export)
    cli("verify", empty_root, "--trigger")
    assert shown == ["Running an export first"]
