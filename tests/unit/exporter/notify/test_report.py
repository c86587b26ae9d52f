"""Reports: due once a period, kept until they are taken, with the dashboard."""

from __future__ import annotations

import base64
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from exporter.answers.once import AskedOnce
from exporter.notify import outbox
from exporter.notify.delivery import deliver
from exporter.notify.outbox import Notice
from exporter.notify.report import DASHBOARD, report, report_problem
from exporter.reporting.history import append_run
from exporter.reporting.results import RunResult
from exporter.reporting.stored import Stored
from ingest.root import PROJECT, Root
from tests.receivers import http_receiver
from tests.well_and_wrong import publish_well_or_wrong

# A Wednesday.
NOON = datetime(2025, 10, 29, 12)


@pytest.fixture
def root(empty_root: Path, monkeypatch: pytest.MonkeyPatch) -> Root:
    monkeypatch.setenv("OPS_ATOMIC_NOTIFY", "json://127.0.0.1:1")
    publish_well_or_wrong(empty_root, is_well=True, as_of=NOON)
    return Root(empty_root)


def run(
    root: Root, monkeypatch: pytest.MonkeyPatch, at: datetime, **of_run: Any
) -> list[Notice]:
    """End a run at a moment; the reports that it put into the outbox."""
    monkeypatch.setenv("OPS_ATOMIC_AS_OF", at.isoformat())
    before = {path for path, _ in outbox.waiting(root)}
    result = RunResult(**{"started": at, "is_whole": True, **of_run})
    append_run(root, result, Stored())
    with AskedOnce(root) as asked:
        report(root, result, asked)
    return [kept for path, kept in outbox.waiting(root) if path not in before]


@pytest.mark.parametrize("chosen", ["", "off", "OFF ", "hourly"])
def test_without_being_asked_for_nothing_is_reported(
    root: Root, monkeypatch: pytest.MonkeyPatch, chosen: str
) -> None:
    monkeypatch.setenv("OPS_ATOMIC_REPORT", chosen)
    assert run(root, monkeypatch, NOON) == []
    assert (report_problem() is None) == (chosen != "hourly")


def test_a_day_is_reported_once_by_its_first_good_run(
    root: Root, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPS_ATOMIC_REPORT", "daily")
    assert run(root, monkeypatch, NOON, errors=["disk full"]) == []
    assert run(root, monkeypatch, NOON, is_whole=False) == []
    (told,) = run(root, monkeypatch, NOON)
    assert told.title.endswith(": report of 2025-10-28")
    assert (told.level, told.attachment) == ("success", DASHBOARD)
    assert "Now (2025-10-29 12:00 UTC):" in told.text
    assert run(root, monkeypatch, NOON.replace(hour=23)) == []
    (told,) = run(root, monkeypatch, datetime(2025, 10, 30))
    assert told.title.endswith(": report of 2025-10-29")


def test_a_week_is_reported_once(root: Root, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPS_ATOMIC_REPORT", "weekly")
    (told,) = run(root, monkeypatch, NOON)
    assert told.title.endswith(": report of 2025-W43 (2025-10-20 to 2025-10-26)")
    assert run(root, monkeypatch, datetime(2025, 11, 2, 23)) == []
    (told,) = run(root, monkeypatch, datetime(2025, 11, 3))
    assert told.title.endswith(": report of 2025-W44 (2025-10-27 to 2025-11-02)")


def test_each_run_that_came_to_its_end_is_reported_on_request(
    root: Root, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPS_ATOMIC_REPORT", "run")
    (told,) = run(root, monkeypatch, NOON, landed_records=7)
    assert told.title.endswith(": report of the run at 12:00")
    assert told.text.startswith("Records read: 7\n")
    (told,) = run(
        root,
        monkeypatch,
        NOON.replace(hour=13),
        landed_records=5,
        errors=["a: not published"],
    )
    assert told.text.startswith("Records read: 5 (-2)\n")
    assert "- a: not published" in told.text
    assert run(root, monkeypatch, NOON.replace(hour=14), is_whole=False) == []


def test_nobody_to_tell_is_no_report_made(
    root: Root, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPS_ATOMIC_REPORT", "daily")
    monkeypatch.setenv("OPS_ATOMIC_NOTIFY", "")
    assert run(root, monkeypatch, NOON) == []
    monkeypatch.setenv("OPS_ATOMIC_NOTIFY", "json://127.0.0.1:1")
    assert len(run(root, monkeypatch, NOON)) == 1


def test_a_report_that_cannot_be_made_is_tried_again(
    root: Root, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPS_ATOMIC_REPORT", "daily")
    mart = root.path / "g/analytics/marts/slo_status.parquet"
    whole = mart.read_bytes()
    mart.write_bytes(b"torn")
    with pytest.raises(OSError, match=r"the report is not made: .*slo_status"):
        run(root, monkeypatch, NOON)
    mart.write_bytes(whole)
    assert len(run(root, monkeypatch, NOON)) == 1


def test_the_dashboard_goes_along_and_a_refused_report_waits(
    root: Root, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = root.path / DASHBOARD
    page.parent.mkdir(parents=True)
    page.write_text("<html>", encoding="utf-8")
    monkeypatch.setenv("OPS_ATOMIC_REPORT", "daily")
    with http_receiver(status=500) as receiver:
        url = f"json://127.0.0.1:{receiver.port}/x"
        monkeypatch.setenv("OPS_ATOMIC_NOTIFY", url)
        (told,) = run(root, monkeypatch, NOON)
        assert f"Dashboard: {page}" in told.text
        assert deliver(root) == ["service 1 (JSON) answered with 500"]
        assert len(outbox.waiting(root)) == 1
        # Once with the file, once without: it might have been the file.
        assert [len(m["attachments"]) for m in receiver.messages] == [1, 0]

        receiver.requests.clear()
        receiver.status = 200
        assert deliver(root) == []
        (message,) = receiver.messages
        (file,) = message["attachments"]
        assert file["filename"] == "index.html"
        assert base64.b64decode(file["base64"]) == b"<html>"
        assert outbox.waiting(root) == []


def test_a_run_without_a_report_loads_no_duckdb(root: Root) -> None:
    code = """if True:
        import sys
        from datetime import datetime
        from pathlib import Path
        from exporter.answers.once import AskedOnce
        from exporter.notify.report import report
        from exporter.reporting.results import RunResult
        from ingest.root import Root
        root = Root(Path(sys.argv[1]))
        result = RunResult(datetime(2025, 1, 1), is_whole=True)
        with AskedOnce(root) as asked:
            report(root, result, asked)
        assert "duckdb" not in sys.modules
    """
    subprocess.run([sys.executable, "-c", code, root.path], cwd=PROJECT, check=True)
