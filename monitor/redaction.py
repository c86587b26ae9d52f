"""What a heartbeat or a log says holds no secrets, and nothing of a home folder."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable

HIDDEN = "***"
MOST_CHARS = 300

_CREDENTIALS = re.compile(r"(://)[^\s/@\"'`<>]*(?:@[^\s/@\"'`<>]*)*@")
_QUERY = re.compile(r"(://[^\s\"'`<>?]*\?)[^\s\"'`<>]*")
_NAMED = re.compile(
    r"(?i)([\w-]*(?:password|passwd|passphrase|pwd|secret|token|api[_-]?key)[\"']?"
    r"\s*[=:]\s*|\b(?:bearer|basic)\s+)(?:\"[^\"]*\"|'[^']*'|[^\s,;&\"']+)"
)
_HOMES = re.compile(r"(?<![\w.~-])/(?:Users|home)/[^\s/:,;\"'`<>)\]]+")
_BLANKS = re.compile(r"[\s\x00-\x1f\x7f]+")


def redact(text: str, secrets: Iterable[str] = ()) -> str:
    """One line of at most 300 characters, its secrets masked, the home folder `~`.

    `secrets` are known values that are masked wherever they stand; the rest is
    told by its shape: logins and queries of URLs, passwords by their names.
    """
    for secret in secrets:
        if secret.strip():
            text = text.replace(secret, HIDDEN)
    text = _CREDENTIALS.sub(rf"\1{HIDDEN}@", text)
    text = _QUERY.sub(rf"\1{HIDDEN}", text)
    text = _NAMED.sub(rf"\1{HIDDEN}", text)
    home = os.path.expanduser("~")
    if home.strip("/"):
        text = re.sub(rf"(?<![\w.~-]){re.escape(home)}(?![\w.-])", "~", text)
    text = _HOMES.sub("~", text)
    line = _BLANKS.sub(" ", text.encode(errors="replace").decode()).strip()
    return line if len(line) <= MOST_CHARS else f"{line[: MOST_CHARS - 1]}…"
