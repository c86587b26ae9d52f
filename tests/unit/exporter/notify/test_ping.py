from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from exporter.notify import ping as module
from exporter.notify.ping import ping
from tests.receivers import HttpReceiver, http_receiver


@pytest.fixture
def receiver() -> Iterator[HttpReceiver]:
    with http_receiver() as found:
        yield found


@pytest.mark.parametrize(
    ("path", "suffix", "asked"),
    [
        ("/uuid", "", "/uuid"),
        ("/uuid", "/start", "/uuid/start"),
        ("/uuid/", "/fail", "/uuid/fail"),
        ("/uuid?create=1", "/fail", "/uuid/fail?create=1"),
        ("/uuid/", "", "/uuid/"),
    ],
)
def test_the_url_is_asked_for(
    path: str,
    suffix: str,
    asked: str,
    receiver: HttpReceiver,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    url = f"http://127.0.0.1:{receiver.port}{path}"
    monkeypatch.setenv("OPS_ATOMIC_PING_URL", f" {url}\n")
    assert ping(suffix)
    assert receiver.requests == [("GET", asked, "")]


@pytest.mark.parametrize("url", ["", "  "])
def test_without_a_url_nothing_is_asked(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPS_ATOMIC_PING_URL", url)
    assert ping("/start")


def test_a_refusal_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    with http_receiver(status=404) as receiver:
        monkeypatch.setenv("OPS_ATOMIC_PING_URL", f"http://127.0.0.1:{receiver.port}")
        assert not ping()
        assert len(receiver.requests) == 1


@pytest.mark.parametrize(
    "url",
    [
        "not a url",
        "file:///etc/passwd",
        "http://[",
        "http://127.0.0.1:0/\x7f",
        "http:///x",
    ],
)
def test_what_is_no_url_is_no_answer_and_no_error(
    url: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OPS_ATOMIC_PING_URL", url)
    assert not ping("/start")
    assert capfd.readouterr() == ("", "")


def test_what_is_no_http_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        import threading

        def answer() -> None:
            connection, _ = server.accept()
            connection.sendall(b"\x00garbage\r\n\r\n")
            connection.close()

        thread = threading.Thread(target=answer)
        thread.start()
        port = server.getsockname()[1]
        monkeypatch.setenv("OPS_ATOMIC_PING_URL", f"http://127.0.0.1:{port}/")
        assert not ping()
        thread.join()


def test_a_url_that_hangs_is_left(
    receiver: HttpReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    receiver.hold.set()
    monkeypatch.setattr(module, "TIMEOUT_S", 0.2)
    monkeypatch.setenv("OPS_ATOMIC_PING_URL", f"http://127.0.0.1:{receiver.port}/")
    assert not ping()
