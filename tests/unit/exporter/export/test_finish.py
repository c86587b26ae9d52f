from __future__ import annotations

from pathlib import Path

import pytest

from exporter.export import finish
from exporter.export.finish import conclude
from exporter.publish.ledger import Ledger
from exporter.reporting.history import last_run
from exporter.reporting.logs import log_path
from exporter.reporting.results import RunResult
from exporter.reporting.screen import Screen
from exporter.reporting.stored import Stored
from exporter.reporting.summary import summary_path
from ingest.inputs import utc_now
from ingest.root import Root


@pytest.fixture
def result() -> RunResult:
    return RunResult(utc_now())


def long_silent(ledger: Ledger) -> Stored:
    return Stored(heard_at={"heartbeats": utc_now().replace(year=2001)})


@pytest.mark.parametrize("is_example", [False, True])
def test_the_bundled_example_is_meant_to_be_old(
    empty_root: Path,
    result: RunResult,
    is_example: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(finish, "count_stored", long_silent)
    conclude(Root(empty_root, is_example), result, Screen(quiet=True))
    assert bool(result.warnings) != is_example


def test_a_record_that_cannot_be_left_fails_the_run_and_no_other_record(
    empty_root: Path, result: RunResult, capsys: pytest.CaptureFixture[str]
) -> None:
    root = Root(empty_root)
    root.logs.write_text("in the way")
    conclude(root, result, Screen(quiet=True))
    (error,) = result.errors
    assert error.startswith(f"{root.logs}: ")
    assert "move it aside" in error
    assert error in capsys.readouterr().err
    assert last_run(root)
    assert "❌" in summary_path(root, result.started.date()).read_text()


def test_a_store_that_cannot_be_counted_fails_the_run(
    empty_root: Path, result: RunResult, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(ledger: Ledger) -> Stored:
        raise PermissionError(13, "Permission denied", "ledger.sqlite")

    monkeypatch.setattr(finish, "count_stored", fail)
    conclude(Root(empty_root), result, Screen(quiet=True))
    (error,) = result.errors
    assert error.startswith("ledger.sqlite: Permission denied")
    assert last_run(Root(empty_root))


@pytest.mark.parametrize(
    "step",
    ["count_stored", "rotate_logs", "append_log", "append_run", "write_summary",
     "announce"],
)  # fmt: skip
def test_a_crash_of_one_step_is_told_and_keeps_no_other_from_being_done(
    step: str, empty_root: Path, result: RunResult, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(*_: object) -> None:
        raise OverflowError("date value out of range")

    root = Root(empty_root)
    monkeypatch.setattr(finish, step, crash)
    conclude(root, result, Screen(quiet=True))
    assert result.errors == ["crashed: OverflowError: date value out of range"]
    assert "in crash" in log_path(root).read_text(), "where in the code"
    assert bool(last_run(root)) == (step != "append_run")
    path = summary_path(root, result.started.date())
    assert path.exists() == (step != "write_summary")


def test_a_run_of_one_day_leaves_alarms_standing(
    empty_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finish, "count_stored", long_silent)
    root = Root(empty_root)
    said = []
    for is_limited in (False, True, True):
        result = RunResult(utc_now(), is_limited=is_limited, is_whole=not is_limited)
        conclude(root, result, Screen(quiet=True))
        run = last_run(root)
        assert run is not None
        assert run["stale_sources"] == ["heartbeats"]
        assert run["is_whole"] == (not is_limited)
        said.append(run["standing"]["stale:heartbeats"])
        assert result.warnings == said[-1:]
        summary = summary_path(root, result.started.date()).read_text()
        assert "**holds**" in summary
        assert "| over |" not in summary
    assert said[1:] == said[:1] * 2


def test_a_whole_run_judges_silence_anew(
    empty_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = Root(empty_root)
    monkeypatch.setattr(finish, "count_stored", long_silent)
    conclude(root, RunResult(utc_now(), is_whole=True), Screen(quiet=True))
    monkeypatch.setattr(finish, "count_stored", lambda _: Stored())
    conclude(root, RunResult(utc_now(), is_whole=True), Screen(quiet=True))
    run = last_run(root)
    assert run is not None
    assert run["standing"] == {}


def test_what_is_wrong_in_settings_is_told_until_it_is_mended(empty_root: Path) -> None:
    root = Root(empty_root)
    root.settings.mkdir(parents=True)
    own = root.settings / "slo_targets.csv"
    said = []
    for line in ("redis,2", "redis,2", "redis,1"):
        own.write_text(f"check_key,target\n{line}\n")
        result = RunResult(utc_now(), is_whole=True)
        conclude(root, result, Screen(quiet=True))
        assert not result.errors
        said.append(result.warnings)
    assert said[0] == said[1] != said[2] == []
    (text,) = said[0]
    assert text.startswith(
        "g/analytics/settings/slo_targets.csv, line 2, column target"
    )
