"""Bytes into text that every later reader can hold, and limits on its length."""

import re

RAW_LIMIT = 65_536
"""Characters of raw text kept of one line."""

MAX_HEARTBEAT_BYTES = 1 << 20
MAX_RECORD_BYTES = 1 << 20
"""A line or record longer than this is a reject, its raw text cut."""

MAX_CELL_CHARS = 32 << 20
"""A landed cell may be a thousand times longer than Python's csv expects."""

REPLACEMENT = "\ufffd"

_UNSTORABLE = re.compile("[\0\ud800-\udfff]")


def clean(text: str) -> str:
    """`text` with NUL and lone surrogates, which cannot be stored, replaced."""
    if "\0" not in text:
        try:
            # Several times faster than looking for surrogates.
            text.encode()
            return text
        except UnicodeEncodeError:
            pass
    return _UNSTORABLE.sub(REPLACEMENT, text)


def decode(data: bytes) -> str:
    """UTF-8 text; a BOM is dropped, invalid bytes and NUL become U+FFFD."""
    text = data.decode("utf-8", "replace").removeprefix("\ufeff")
    return text.replace("\0", REPLACEMENT) if "\0" in text else text


def cut(text: str, limit: int = RAW_LIMIT) -> str:
    """At most the first `limit` characters of `text`."""
    return text if len(text) <= limit else text[:limit]


def is_too_long(text: str) -> bool:
    """Whether a line or record takes more than MAX_RECORD_BYTES in UTF-8."""
    if len(text) <= MAX_RECORD_BYTES // 4:
        return False
    return len(text.encode("utf-8", "surrogatepass")) > MAX_RECORD_BYTES
