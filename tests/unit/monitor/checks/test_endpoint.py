"""A real HTTP server is asked: status, field, login, and the way it fails."""

from __future__ import annotations

import base64
import contextlib
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from monitor.checks.endpoint import check_endpoint
from monitor.checks.result import Failed
from monitor.settings import Endpoint
from tests.redis_server import free_port

BODY = b'{"data": {"status": "ok", "ready": true}}'


@contextlib.contextmanager
def server(
    status: int = 200, body: bytes = BODY, location: str = ""
) -> Iterator[tuple[int, list[str | None]]]:
    """Its port, and the Authorization of each request."""
    logins: list[str | None] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            logins.append(self.headers.get("Authorization"))
            is_moved = self.path == "/moved"
            self.send_response(302 if is_moved else status)
            if is_moved:
                self.send_header("Location", "/")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            pass

    made = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=made.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield made.server_address[1], logins
    finally:
        made.shutdown()
        made.server_close()
        thread.join()


def check(url: str, **more: object) -> str:
    values: dict[str, object] = {
        "severity": "warn", "timeout_s": 2.0, "name": "API Health", "url": url,
        "expect_status": 200, "json_field": "", "json_value": "",
    }  # fmt: skip
    return check_endpoint(Endpoint(**(values | more)))  # type: ignore[arg-type]


def fault(url: str, **more: object) -> str:
    with pytest.raises(Failed) as failed:
        check(url, **more)
    return str(failed.value)


def test_a_status_is_held_to_what_is_expected() -> None:
    with server() as (port, _):
        assert check(f"http://127.0.0.1:{port}/health") == "Endpoint responding"
    with server(503) as (port, _):
        url = f"http://127.0.0.1:{port}/"
        assert fault(url) == "Endpoint answered with 503, expected 200"
        assert check(url, expect_status=503) == "Endpoint responding"


def test_a_redirect_is_followed_unless_it_is_expected() -> None:
    with server() as (port, _):
        url = f"http://127.0.0.1:{port}/moved"
        assert check(url) == "Endpoint responding"
        assert check(url, expect_status=302) == "Endpoint responding"


def test_a_field_of_the_answer_is_held_to_its_value() -> None:
    def field(name: str, value: str) -> dict[str, object]:
        return {"json_field": name, "json_value": value}

    with server() as (port, _):
        url = f"http://127.0.0.1:{port}/"
        assert check(url, **field("data.status", "ok")) == "Endpoint responding"
        assert check(url, **field("data.ready", "true")) == "Endpoint responding"
        said = "Endpoint answered: data.status is 'ok', expected 'up'"
        assert fault(url, **field("data.status", "up")) == said
        said = "Endpoint answered without data.gone"
        assert fault(url, **field("data.gone", "up")) == said
    with server(body=b"<html>") as (port, _):
        url = f"http://127.0.0.1:{port}/"
        said = "Endpoint answered with what is not JSON"
        assert fault(url, **field("status", "ok")) == said


def test_a_login_in_the_url_is_sent_as_a_header() -> None:
    with server() as (port, logins):
        check(f"http://ops:p%40ss@127.0.0.1:{port}/")
        sent = base64.b64encode(b"ops:p@ss").decode()
        assert logins == [f"Basic {sent}"]


def test_refused_and_silent_are_told_apart_and_no_url_is_said() -> None:
    url = f"http://ops:s3cr3t@127.0.0.1:{free_port()}/"
    assert fault(url) == "Endpoint not responding: connection refused"
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        assert fault(url, timeout_s=0.2) == "Endpoint not responding: timed out"


def test_no_proxy_stands_before_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{free_port()}")
    monkeypatch.delenv("no_proxy", raising=False)
    with server() as (port, _):
        assert check(f"http://127.0.0.1:{port}/") == "Endpoint responding"
