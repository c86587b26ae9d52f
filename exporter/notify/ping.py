"""The dead-man's switch: a URL that is asked for when a run begins and ends.

As healthchecks.io has it: `/start` when a run begins, the URL itself after a
good one, `/fail` after any other. Whoever answers there speaks up when nothing
is asked for any more.
"""

from __future__ import annotations

import os
import threading
from urllib.parse import urlsplit, urlunsplit

VARIABLE = "OPS_ATOMIC_PING_URL"
TIMEOUT_S = 5


def ping(suffix: str = "") -> bool:
    """Ask for the operator's URL, with `/start` or `/fail` behind its path.

    True when it answered, and when there is none to ask for. The URL is a
    secret: it is neither shown nor raised.
    """
    url = os.environ.get(VARIABLE, "").strip()
    if not url:
        return True
    answered = threading.Event()

    def ask() -> None:
        if _ask(url, suffix):
            answered.set()

    # A thread, because no time limit of urllib covers the look-up of a name.
    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    asking.join(TIMEOUT_S)
    return answered.is_set()


def _ask(url: str, suffix: str) -> bool:
    # Here, because most runs ask nobody.
    import urllib.request
    from http.client import HTTPException

    try:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https"):
            return False
        path = parts.path.rstrip("/") + suffix if suffix else parts.path
        request = urllib.request.Request(
            urlunsplit(parts._replace(path=path)), headers={"User-Agent": "ops-atomic"}
        )
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:
            return 200 <= int(answer.status) < 300
    except (OSError, ValueError, HTTPException):
        return False
