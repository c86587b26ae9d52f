"""What the monitor says at once: as one notice, unless a window is open."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import pytest

from exporter.notify import outbox
from exporter.notify.at_once import check_key, tell_at_once
from exporter.notify.episodes import told_at_once
from ingest.root import Root
from tests.receivers import HttpReceiver, http_receiver


class Change(NamedTuple):
    kind: str
    group: str = "Redis"
    name: str = "Status"
    status: str = "error"
    message: str = "Redis not responding: connection refused"
    since: str = "2025-10-28T10:00:00Z"


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Root:
    monkeypatch.setenv("OPS_ATOMIC_AS_OF", "2025-10-28T10:05:00Z")
    root = Root(tmp_path)
    root.settings.mkdir(parents=True)
    return root


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[HttpReceiver]:
    with http_receiver() as made:
        monkeypatch.setenv("OPS_ATOMIC_NOTIFY", f"json://127.0.0.1:{made.port}/")
        yield made


def window(root: Root, key: str, ended: str = "") -> None:
    text = (
        f"check_key,started_at,ended_at,reason\n{key},2025-10-28T10:00:00Z,{ended},x\n"
    )
    (root.settings / "maintenance_windows.csv").write_text(text)


def test_what_changed_is_one_notice(root: Root, receiver: HttpReceiver) -> None:
    disk = Change("flapping", "Disks", "/data", "warn", "Disk low: 1 GB")
    assert tell_at_once(root, [Change("failed"), disk]) == []
    (message,) = receiver.messages
    assert message["type"] == "failure"
    assert message["title"].endswith(": Redis Status fails (and 1 more)")
    assert message["message"].splitlines() == [
        "Redis Status fails: Redis not responding: connection refused, since "
        "2025-10-28T10:00:00Z",
        "Disks /data flaps: Disk low: 1 GB, since 2025-10-28T10:00:00Z",
    ]
    assert not outbox.waiting(root)


@pytest.mark.parametrize(
    ("key", "ended", "held"),
    [
        ("redis", "", True),
        ("*", "2025-10-28T10:06:00Z", True),
        ("redis", "2025-10-28T10:05:00Z", False),
        ("database", "", False),
    ],
)
def test_a_maintenance_window_holds_back(
    key: str, ended: str, held: bool, root: Root, receiver: HttpReceiver
) -> None:
    window(root, key, ended)
    change = Change("failed")
    assert tell_at_once(root, [change]) == [change] * held
    assert len(receiver.messages) == (not held)
    # Whoever was told before the window that it fails is told that it is over.
    assert tell_at_once(root, [Change("recovered", status="ok")]) == []
    assert receiver.messages[-1]["type"] == "success"


def test_it_waits_where_nobody_answers(
    root: Root, monkeypatch: pytest.MonkeyPatch
) -> None:
    with http_receiver(503) as deaf:
        monkeypatch.setenv("OPS_ATOMIC_NOTIFY", f"json://127.0.0.1:{deaf.port}/")
        tell_at_once(root, [Change("failed")])
    assert len(outbox.waiting(root)) == 1


def test_nobody_to_tell_is_no_error(
    root: Root, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPS_ATOMIC_NOTIFY", raising=False)
    assert tell_at_once(root, [Change("failed")]) == []
    assert not outbox.waiting(root)


def test_what_was_told_is_known_by_the_keys_of_the_marts(
    root: Root, receiver: HttpReceiver
) -> None:
    assert told_at_once(root) == []
    disk = Change("flapping", "Disks", "/data", "warn", "Disk low: 1 GB")
    tell_at_once(root, [Change("failed"), disk])
    tell_at_once(root, [Change("recovered", status="ok")])
    began = datetime(2025, 10, 28, 10)
    assert told_at_once(root) == [("redis", began), ("disks/data", began)]
    assert len(receiver.messages) == 2
    place = root.state / "told_at_once.json"
    assert place.stat().st_mode & 0o777 == 0o600
    place.write_text("[]")
    assert told_at_once(root) == []


def test_what_a_window_holds_back_was_not_told(
    root: Root, receiver: HttpReceiver
) -> None:
    window(root, "*")
    tell_at_once(root, [Change("failed")])
    assert (told_at_once(root), receiver.messages) == ([], [])


@pytest.mark.parametrize(
    ("group", "name", "key"),
    [
        ("Redis", "Status", "redis"),
        ("API Endpoints", "Anything", "api"),
        ("LaunchAgents", "com.02luka.digest", "launchagent_digest"),
        ("LaunchAgents", "com.02luka.other", "launch_agents/com_02luka_other"),
        ("Commands", "Daily backUp", "commands/daily_back_up"),
    ],
)
def test_a_check_is_called_as_the_marts_call_it(
    group: str, name: str, key: str
) -> None:
    assert check_key(group, name) == key
