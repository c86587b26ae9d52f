from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from exporter.notify import outbox
from exporter.notify.notices import announce
from exporter.notify.outbox import Notice
from exporter.reporting.results import RunResult
from ingest.root import Root


@pytest.fixture
def root(empty_root: Path, monkeypatch: pytest.MonkeyPatch) -> Root:
    monkeypatch.setenv("OPS_ATOMIC_NOTIFY", "json://127.0.0.1:1")
    return Root(empty_root)


def run(*errors: str, **findings: str | None) -> RunResult:
    keyed = {key.replace("__", ":"): text for key, text in findings.items()}
    return RunResult(
        started=datetime(2025, 10, 28, 2, 30), errors=list(errors), findings=keyed
    )


def told(root: Root, result: RunResult) -> Notice | None:
    """What a run newly has to say."""
    before = {path for path, _ in outbox.waiting(root)}
    assert announce(root, result) is None
    fresh = [kept for path, kept in outbox.waiting(root) if path not in before]
    assert len(fresh) <= 1
    return fresh[0] if fresh else None


def test_a_good_run_has_nothing_to_say(root: Root) -> None:
    assert told(root, run(storage=None)) is None
    assert not (root.state / "notices.json").exists()


def test_a_failure_is_told_once_and_so_is_recovery(root: Root) -> None:
    first = told(root, run("disk full on 2025-10-28"))
    assert first is not None
    assert first.level == "failure"
    assert "run failed" in first.title
    assert "- disk full on 2025-10-28" in first.text
    assert "parquet_export_summary_20251028.md" in first.text
    # The same failure of another night.
    assert told(root, run("disk full on 2025-10-29")) is None
    back = told(root, run())
    assert back is not None
    assert (back.level, "recovered" in back.title) == ("success", True)
    assert told(root, run()) is None


def test_another_failure_is_news(root: Root) -> None:
    assert told(root, run("disk full"))
    assert told(root, run("no right to read it"))


def test_one_failure_in_another_order_is_no_news(root: Root) -> None:
    errors = ["b: disk full on 2025-10-28", "a: no right to read it", "c: 3 rows"]
    assert told(root, run(*errors))
    assert told(root, run(*reversed(errors))) is None
    assert told(root, run("c: 9 rows", errors[1], "b: disk full on 2025-11-01")) is None


def test_one_failure_of_more_days_is_no_news(root: Root) -> None:
    failed = "g/a_2025102{}.parquet: not published: disk full".format
    assert told(root, run(failed(7)))
    assert told(root, run(failed(7), failed(8))) is None
    assert told(root, run(failed(9), "no right to read it"))


def test_a_source_that_goes_stale_and_comes_back(root: Root) -> None:
    stale = run(stale__heartbeats="no heartbeat for 61 minutes")
    first = told(root, stale)
    assert first is not None
    assert (first.level, "stale" in first.title) == ("warning", True)
    assert told(root, run(stale__heartbeats="no heartbeat for 2 days")) is None
    # A run that could not judge it leaves it as it is.
    assert told(root, run()) is None
    back = told(root, run(stale__heartbeats=None))
    assert back is not None
    assert "Heartbeats arrive again." in back.text
    assert "a source is back" in back.title


def test_warnings_come_in_one_digest_and_end_silently(root: Root) -> None:
    digest = told(root, run(storage="storage: 6 GB", stale__csv="no CSV for 3 days"))
    assert digest is not None
    assert "2 warnings" in digest.title
    assert "Warning: storage: 6 GB\nWarning: no CSV for 3 days" in digest.text
    assert told(root, run(storage=None)) is None
    assert told(root, run(storage="storage: 7 GB"))


def test_a_single_warning_is_one(root: Root) -> None:
    notice = told(root, run(storage="storage: 6 GB"))
    assert notice is not None
    assert "1 warning" in notice.title


def test_secrets_and_the_home_stay_here(
    root: Root, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(root.path.parent))
    notice = told(root, run("cannot open https://me:hunter2@example.com/"))
    assert notice is not None
    assert "hunter2" not in notice.text
    assert str(root.path.parent) not in notice.text


def test_nothing_is_remembered_where_nobody_is_told(
    root: Root, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPS_ATOMIC_NOTIFY")
    assert announce(root, run("disk full")) is None
    assert list(root.path.rglob("*")) == [root.path / "g"]


def test_who_stops_a_run_knows_it(root: Root) -> None:
    stopped = run("stopped by SIGINT")
    stopped.by_hand = True
    assert told(root, stopped) is None


def test_what_cannot_be_kept_is_given_back(
    root: Root, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(root: Root, notice: Notice) -> None:
        raise OSError

    monkeypatch.setattr(outbox, "put", fail)
    notice = announce(root, run("disk full"))
    assert notice is not None
    # It was not told for sure, so it is told again.
    assert not (root.state / "notices.json").exists()


@pytest.mark.parametrize("text", ["", "[]", '{"told": 1}', '{"told": [1]}', "\x00"])
def test_a_damaged_memory_is_no_failure(root: Root, text: str) -> None:
    root.state.mkdir(parents=True)
    (root.state / "notices.json").write_text(text)
    assert told(root, run("disk full"))
    assert told(root, run("disk full")) is None
