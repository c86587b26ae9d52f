"""The programs that agents are managed with: run to their end, or an error."""

from __future__ import annotations

import pytest

from exporter.agents import processes
from exporter.agents.errors import AgentError
from exporter.agents.processes import Outcome, run_program


def test_a_program_is_run_to_its_end() -> None:
    ended = run_program(("sh", "-c", "echo out; echo err >&2; echo $LC_ALL; exit 3"))
    assert ended == Outcome(3, "out\nC\n", "err\n")


def test_a_program_that_is_not_there_is_an_error() -> None:
    with pytest.raises(AgentError, match="cannot be run: No such file"):
        run_program(("/nowhere/launchctl", "print"))


def test_a_program_that_does_not_end_is_an_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(processes, "TIMEOUT_S", 0.1)
    with pytest.raises(AgentError, match="sleep 5 did not end within"):
        run_program(("sleep", "5"))
