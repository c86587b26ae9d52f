"""Those who are told, on this machine: an HTTP and an SMTP server."""

from __future__ import annotations

import asyncio
import contextlib
import email
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email import policy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class HttpReceiver:
    """Answers every request with `status`; `requests` are (method, path, body)."""

    port: int = 0
    status: int = 200
    requests: list[tuple[str, str, str]] = field(default_factory=list)
    # Set while answers are to be held back.
    hold: threading.Event = field(default_factory=threading.Event)
    go_on: threading.Event = field(default_factory=threading.Event)

    @property
    def messages(self) -> list[dict[str, Any]]:
        """What came in through json:// URLs."""
        return [json.loads(body) for method, _, body in self.requests if body]

    @property
    def paths(self) -> list[str]:
        return [path for _, path, _ in self.requests]


@contextlib.contextmanager
def http_receiver(status: int = 200) -> Iterator[HttpReceiver]:
    """A real HTTP server on the loopback, for as long as the block runs."""
    receiver = HttpReceiver(status=status)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(length).decode()
            receiver.requests.append((self.command, self.path, body))
            if receiver.hold.is_set():
                receiver.go_on.wait(60)
            with contextlib.suppress(OSError):
                self.send_response(receiver.status)
                self.end_headers()

        do_POST = do_GET  # noqa: N815 - the name that http.server asks for

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    receiver.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        receiver.go_on.set()
        server.shutdown()
        server.server_close()
        thread.join()


@contextlib.contextmanager
def smtp_receiver() -> Iterator[tuple[int, Callable[[], list[tuple[str, str]]]]]:
    """A real SMTP server: its port, and (subject, text) of what it took."""
    from aiosmtpd.controller import Controller

    taken: list[tuple[str, str]] = []

    class Handler:
        async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
            message = email.message_from_bytes(envelope.content, policy=policy.default)
            body = message.get_body(("plain", "html"))
            taken.append((message["subject"], body.get_content() if body else ""))
            return "250 OK"

    class AnyPort(Controller):
        def _trigger_server(self) -> None:
            assert isinstance(self.server, asyncio.Server)
            self.port = self.server.sockets[0].getsockname()[1]
            super()._trigger_server()  # type: ignore[no-untyped-call]

    controller = AnyPort(Handler(), hostname="127.0.0.1", port=0)
    controller.start()
    try:
        yield controller.port, lambda: taken
    finally:
        controller.stop()
