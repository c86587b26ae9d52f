"""Promise: a run that goes wrong says so, once, and never fails for saying it."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any
from unittest import mock

import pytest
from click.testing import CliRunner, Result

from exporter.cli.main import main
from exporter.notify import outbox
from exporter.runtime.lock import hold_lock
from ingest.root import Root
from tests.faults import heartbeat, write
from tests.receivers import HttpReceiver, http_receiver, smtp_receiver

SECRET = "s3cr3tpath"
Cli = Callable[..., Result]


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[HttpReceiver]:
    """A service that is to be told, and answers."""
    with http_receiver() as found:
        url = f"json://127.0.0.1:{found.port}/{SECRET}"
        monkeypatch.setenv("OPS_ATOMIC_NOTIFY", url)
        yield found


@pytest.fixture
def pinged(monkeypatch: pytest.MonkeyPatch) -> Iterator[HttpReceiver]:
    """A dead-man's switch."""
    with http_receiver() as found:
        url = f"http://127.0.0.1:{found.port}/{SECRET}"
        monkeypatch.setenv("OPS_ATOMIC_PING_URL", url)
        yield found


def broken(error: Exception) -> AbstractContextManager[Any]:
    """While this holds, the landing of every run raises an error."""
    return mock.patch("exporter.export.run.land", side_effect=error)


def full_disk() -> OSError:
    return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/somewhere/landing")


def titles(receiver: HttpReceiver) -> list[str]:
    """What was said, without the name of the machine."""
    return [message["title"].partition(": ")[2] for message in receiver.messages]


def texts_below(root: Path) -> str:
    found = (path for path in root.rglob("*") if path.is_file())
    return "".join(path.read_bytes().decode("latin-1") for path in found)


def test_a_failed_run_is_told_once_and_so_is_the_next_good_one(
    cli: Cli, empty_root: Path, receiver: HttpReceiver
) -> None:
    with broken(full_disk()):
        assert cli("export", empty_root).exit_code == 1
        assert cli("export", empty_root).exit_code == 1
    assert titles(receiver) == ["run failed"]
    (message,) = receiver.messages
    assert "free some space" in message["message"]
    assert message["type"] == "failure"
    assert cli("export", empty_root).exit_code == 0
    assert cli("export", empty_root).exit_code == 0
    assert titles(receiver) == ["run failed", "recovered"]


def test_a_run_that_takes_too_long_is_told(
    cli: Cli,
    empty_root: Path,
    receiver: HttpReceiver,
    pinged: HttpReceiver,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("exporter.export.run.land", lambda *_, **__: time.sleep(60))
    done = cli("export", empty_root, "--timeout", "0.3")
    assert done.exit_code == 1
    assert titles(receiver) == ["run failed"]
    assert "stopped after 0.3 seconds" in receiver.messages[0]["message"]
    assert pinged.paths == [f"/{SECRET}/start", f"/{SECRET}/fail"]


def test_a_crash_is_told_and_gives_nothing_away(
    cli: Cli,
    empty_root: Path,
    receiver: HttpReceiver,
) -> None:
    with broken(RuntimeError("no way to https://me:hunter2@example.com/")):
        done = cli("export", empty_root)
    assert done.exit_code == 1
    assert "RuntimeError" in done.stderr
    assert "crashed: RuntimeError" in receiver.messages[0]["message"]
    said = done.output + done.stderr + str(receiver.messages) + texts_below(empty_root)
    assert "hunter2" not in said


def test_a_stop_by_hand_is_no_news(
    cli: Cli,
    empty_root: Path,
    receiver: HttpReceiver,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def interrupt(*args: object, **kwargs: object) -> None:
        os.kill(os.getpid(), 2)
        time.sleep(60)

    monkeypatch.setattr("exporter.export.run.land", interrupt)
    assert cli("export", empty_root).exit_code == 130
    assert receiver.requests == []


def test_a_run_that_cannot_even_begin_is_told(
    cli: Cli, empty_root: Path, receiver: HttpReceiver
) -> None:
    (empty_root / "g" / "analytics").write_text("in the way")
    assert cli("export", empty_root).exit_code == 1
    assert titles(receiver) == ["run failed"]
    assert "a file is in the way" in receiver.messages[0]["message"]


@pytest.mark.parametrize(("wait", "told"), [("0", 0), ("0.2", 1)])
def test_a_lock_is_told_to_those_who_waited_for_it(
    wait: str,
    told: int,
    ops_atomic: Callable[..., CompletedProcess[str]],
    empty_root: Path,
    receiver: HttpReceiver,
) -> None:
    from exporter.runtime.lock import give_back_lock

    hold_lock(Root(empty_root), "a test")
    try:
        done = ops_atomic("export", empty_root, "--wait", wait)
    finally:
        give_back_lock(Root(empty_root))
    assert done.returncode == 75
    assert len(receiver.requests) == told


def test_a_service_that_fails_fails_no_run(
    cli: Cli,
    root: Path,
    receiver: HttpReceiver,
) -> None:
    receiver.status = 500
    done = cli("export", root)
    assert done.exit_code == 0
    assert "service 1 (JSON) answered with 500: the notice waits" in done.stderr
    assert len(outbox.waiting(Root(root))) == 1
    receiver.status = 200
    assert cli("export", root).exit_code == 0
    assert outbox.waiting(Root(root)) == []
    assert titles(receiver) == ["5 warnings"] * 2
    assert "no heartbeat for" in receiver.messages[1]["message"]
    # The same silence is not told again.
    cli("export", root)
    assert len(receiver.requests) == 2
    assert SECRET not in done.output + done.stderr + texts_below(root)


def test_a_notifier_that_breaks_fails_no_run(
    cli: Cli, empty_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: object) -> None:
        raise RuntimeError(SECRET)

    monkeypatch.setattr("exporter.export.finish.deliver", fail)
    done = cli("export", empty_root)
    assert done.exit_code == 0
    assert "notices: RuntimeError" in done.stderr
    assert SECRET not in done.output + done.stderr


def test_what_is_said_gives_no_url_away_whatever_is_loaded(
    ops_atomic: Callable[..., CompletedProcess[str]],
    example_root: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    urls = f"json://127.0.0.1:1/{SECRET} mailto://u:{SECRET}@127.0.0.1:1 odd://{SECRET}"
    monkeypatch.setenv("OPS_ATOMIC_NOTIFY", urls)
    monkeypatch.setenv("OPS_ATOMIC_PING_URL", f"http://127.0.0.1:1/{SECRET}")
    done = ops_atomic("export", example_root)
    assert done.returncode == 0
    assert "the dead-man's switch did not answer" in done.stderr
    assert "service 3 not a URL that Apprise knows" in done.stderr
    assert SECRET not in done.stdout + done.stderr + texts_below(example_root)


def test_a_dry_run_tells_nobody(
    cli: Cli, root: Path, receiver: HttpReceiver, pinged: HttpReceiver
) -> None:
    assert cli("export", root, "--dry-run").exit_code == 0
    assert receiver.requests == pinged.requests == []


def test_a_good_run_pings(cli: Cli, empty_root: Path, pinged: HttpReceiver) -> None:
    assert cli("export", empty_root).exit_code == 0
    assert pinged.paths == [f"/{SECRET}/start", f"/{SECRET}"]


def test_a_switch_that_fails_fails_no_run(
    cli: Cli, empty_root: Path, pinged: HttpReceiver
) -> None:
    pinged.status = 500
    done = cli("export", empty_root, "--json")
    assert done.exit_code == 0
    assert SECRET not in done.output + done.stderr


def notify(*arguments: Any) -> Result:
    return CliRunner().invoke(main, ["notify", *map(str, arguments)])


def test_a_test_message_says_for_each_service_whether_it_arrived(
    receiver: HttpReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    with smtp_receiver() as (port, taken):
        good = f"json://127.0.0.1:{receiver.port}/{SECRET}"
        mail = f"mailto://127.0.0.1:{port}?mode=insecure&from=a@b.test&to=c@d.test"
        monkeypatch.setenv("OPS_ATOMIC_NOTIFY", f"{good},\n{mail}")
        done = notify("--test")
        assert done.exit_code == 0
        assert "✓ service 1 (JSON) took the test message" in done.stdout
        assert "✓ service 2 (E-Mail) took the test message" in done.stdout
        ((subject, _),) = taken()
    assert subject.endswith(": test")
    monkeypatch.setenv("OPS_ATOMIC_NOTIFY", f"{good} json://127.0.0.1:1/{SECRET}")
    done = notify("--test")
    assert done.exit_code == 1
    assert "✓ service 1" in done.stdout
    assert "✗ service 2 (JSON) cannot be reached" in done.stderr
    assert SECRET not in done.output


def test_who_tests_without_services_is_told_how() -> None:
    done = notify("--test")
    assert done.exit_code == 2
    assert "OPS_ATOMIC_NOTIFY is not set" in done.stderr


def test_what_waits_can_be_sent_by_hand(
    empty_root: Path, receiver: HttpReceiver
) -> None:
    receiver.status = 500
    outbox.put(Root(empty_root), outbox.Notice("2025", "failure", "a title", "text"))
    done = notify("--root", empty_root)
    assert done.exit_code == 1
    assert "0 notices sent, 1 waiting" in done.stdout
    receiver.status = 200
    done = notify("--root", empty_root)
    assert done.exit_code == 0
    assert "1 notice sent, 0 waiting" in done.stdout


def test_an_incident_in_the_data_is_told_by_the_run_that_publishes_it(
    cli: Cli,
    empty_root: Path,
    receiver: HttpReceiver,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def beat(minute: int, status: str, mark: str) -> None:
        at = f"2025-10-28T10:{minute:02}:00Z"
        name = f"heartbeat_2025-10-28_10-{minute:02}-00.md"
        text = heartbeat(at, status, f"- **Disk:** {mark} of /data\n")
        write(empty_root / "g/reports" / name, text)
        monkeypatch.setenv("OPS_ATOMIC_AS_OF", f"2025-10-28T10:{minute:02}:30Z")

    beat(0, "✅ HEALTHY", "✅ room")
    beat(5, "❌ CRITICAL", "❌ end")
    beat(10, "❌ CRITICAL", "❌ end")
    assert cli("export", empty_root).exit_code == 0
    assert cli("export", empty_root).exit_code == 0
    beat(15, "✅ HEALTHY", "✅ room")
    assert cli("export", empty_root).exit_code == 0
    messages = [message["message"].splitlines()[0] for message in receiver.messages]
    assert titles(receiver) == [
        "redis/disk is down",
        "an incident is over",
    ]
    assert messages == [
        "redis/disk down since 2025-10-28 10:05 (5 min): end of /data",
        "Over: redis/disk down for 10 min, from 2025-10-28 10:05: end of /data",
    ]
