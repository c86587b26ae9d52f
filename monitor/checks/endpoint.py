"""An HTTP endpoint: its status and, where asked for, a field of its JSON."""

from __future__ import annotations

import base64
import json
import socket
import ssl
import urllib.error
import urllib.request
from http.client import HTTPException
from typing import Any
from urllib.parse import unquote, urlsplit, urlunsplit

from monitor.checks.result import Failed
from monitor.settings import Endpoint

MOST_BYTES = 1 << 20
LOOPBACK = ("127.0.0.1", "localhost", "::1")


class _Stay(urllib.request.HTTPRedirectHandler):
    """Takes a redirect for the answer, where one is expected."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


def check_endpoint(endpoint: Endpoint) -> str:
    """Raises Failed with what is not as expected."""
    try:
        status, body = _ask(endpoint)
    except (OSError, HTTPException, ValueError) as error:
        raise Failed(f"Endpoint not responding: {_cause(error)}") from error
    if status != endpoint.expect_status:
        said = f"answered with {status}, expected {endpoint.expect_status}"
        raise Failed(f"Endpoint {said}")
    if endpoint.json_field:
        _hold_to_field(endpoint, body)
    return "Endpoint responding"


def _ask(endpoint: Endpoint) -> tuple[int, bytes]:
    parts = urlsplit(endpoint.url)
    host = parts.netloc.rpartition("@")[2]
    headers = {"User-Agent": "ops-atomic-monitor"}
    if parts.username is not None:
        login = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        headers["Authorization"] = f"Basic {base64.b64encode(login.encode()).decode()}"
    url = urlunsplit(parts._replace(netloc=host, fragment=""))
    handlers: list[urllib.request.BaseHandler] = []
    if parts.hostname in LOOPBACK:
        handlers.append(urllib.request.ProxyHandler({}))
    if 300 <= endpoint.expect_status < 400:
        handlers.append(_Stay())
    opener = urllib.request.build_opener(*handlers)
    request = urllib.request.Request(url, headers=headers)
    try:
        with opener.open(request, timeout=endpoint.timeout_s * 0.8) as answer:
            return answer.status, answer.read(MOST_BYTES)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read(MOST_BYTES)


def _hold_to_field(endpoint: Endpoint, body: bytes) -> None:
    try:
        value: Any = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Failed("Endpoint answered with what is not JSON") from error
    for part in endpoint.json_field.split("."):
        if not isinstance(value, dict) or part not in value:
            raise Failed(f"Endpoint answered without {endpoint.json_field}")
        value = value[part]
    found = value if isinstance(value, str) else json.dumps(value)
    if found != endpoint.json_value:
        said = f"{endpoint.json_field} is {found!r}, expected {endpoint.json_value!r}"
        raise Failed(f"Endpoint answered: {said}")


def _cause(error: BaseException) -> str:
    reason = getattr(error, "reason", error)
    if isinstance(reason, TimeoutError):
        return "timed out"
    if isinstance(reason, ConnectionRefusedError):
        return "connection refused"
    if isinstance(reason, socket.gaierror):
        return "its host is not known"
    if isinstance(reason, ssl.SSLError):
        return f"TLS: {reason.reason or 'failed'}"
    if isinstance(reason, OSError):
        return reason.strerror or type(reason).__name__
    return "no HTTP" if isinstance(error, HTTPException) else type(error).__name__
