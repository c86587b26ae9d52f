"""From a Redis that stops to what people are told and shown, once and all of it."""

from __future__ import annotations

import contextlib
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests import faults
from tests.integration.test_monitor import beats, configure, monitor, wait_for
from tests.receivers import http_receiver
from tests.redis_server import free_port, redis_server

INCIDENTS = "g/analytics/marts/incidents.parquet"
PAGES = "g/reports/dashboard"
# A heartbeat's name says the second in which it began.
SLACK = timedelta(seconds=2)
RESPONDS, REFUSED = "Redis responding", "Redis not responding: connection refused"


def time_of_first(root: Path, word: str, after: str = "") -> datetime:
    """The time, in UTC, in the name of the first heartbeat after one that says it."""
    (name, *_) = [
        path.stem for path in beats(root)
        if path.stem > after and word in path.read_text()
    ]  # fmt: skip
    return datetime.strptime(name, "heartbeat_%Y-%m-%d_%H-%M-%S")


def utc_now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)


def test_redis_that_stops_and_starts_goes_the_whole_circle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root, port = tmp_path / "root", free_port()
    configure(root, f"[redis]\nport = {port}\n")

    def last_says(word: str) -> bool:
        return any(word in path.read_text() for path in beats(root)[-1:])

    with http_receiver() as receiver, contextlib.ExitStack() as running:
        told = f"json://127.0.0.1:{receiver.port}/"
        with redis_server(tmp_path / "redis", port=port):
            running.enter_context(monitor(root, OPS_ATOMIC_NOTIFY=told))
            wait_for(lambda: last_says(RESPONDS))
            stopped_at = utc_now()
        wait_for(lambda: receiver.messages)
        down = faults.run("status", root)
        restarted_at = utc_now()
        with redis_server(tmp_path / "redis", port=port):
            wait_for(lambda: len(receiver.messages) == 2 and last_says(RESPONDS))
            well = faults.run("status", root)
            running.close()
        assert (down.code, down.report["status"]) == (1, "down")
        assert "redis" in down.report["down"]
        assert (well.code, well.report["down"]) == (0, [])

        monkeypatch.setenv("OPS_ATOMIC_NOTIFY", told)
        faults.export(root)
        # The notices of a run do not say it once more.
        said = [(m["title"], m["message"]) for m in receiver.messages]
    assert said[0][0].endswith("Redis Status fails")
    assert said[1][0].endswith("Redis Status is well again")
    # What a run tells of targets is another matter.
    assert not [message for _, message in said[2:] if "redis down" in message]
    assert faults.run("status", root).code == 0

    columns = "check_key, started_at, ended_at, is_open, cause"
    (incident,) = [
        row for row in faults.rows(root, INCIDENTS, columns) if row[0] == "redis"
    ]
    failed_at = time_of_first(root, REFUSED)
    last_failed = [path.stem for path in beats(root) if REFUSED in path.read_text()][-1]
    ended_at = time_of_first(root, RESPONDS, after=last_failed)
    _, started, ended, is_open, cause = incident
    # A name says whole seconds.
    assert started.replace(microsecond=0) == failed_at
    assert ended.replace(microsecond=0) == ended_at
    assert (is_open, cause) == (False, REFUSED)
    assert stopped_at - SLACK <= failed_at < restarted_at <= ended_at + SLACK
    shown = json.loads((root / PAGES / "api" / "incidents.json").read_text())
    (of_redis,) = [row for row in shown["incidents"] if row["check_key"] == "redis"]
    assert datetime.fromisoformat(of_redis["started_at"].rstrip("Z")) == started
    assert datetime.fromisoformat(of_redis["ended_at"].rstrip("Z")) == ended
    assert of_redis["cause"] == REFUSED
    assert REFUSED in (root / PAGES / "index.html").read_text()
