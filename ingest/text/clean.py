"""Bytes into text that every later reader can hold, and limits on its length."""

import codecs
import re
from typing import BinaryIO, cast

MAX_HEARTBEAT_BYTES = 1 << 20
MAX_RECORD_BYTES = 1 << 20
"""A line or record longer than this is a reject, its raw text cut."""

RAW_LIMIT = MAX_RECORD_BYTES
"""Characters of raw text kept of one record: all, if it is not too long."""

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
    """The text of a whole file in UTF-8 or UTF-16, as `decode_utf8` makes it."""
    encoding = _encoding(data[:4])
    if encoding != "utf-8":
        data = data.decode(encoding, "replace").encode("utf-8", "replace")
    return decode_utf8(data)


def decode_utf8(data: bytes) -> str:
    """UTF-8 text; a BOM is dropped, invalid bytes and NUL become U+FFFD."""
    text = data.decode("utf-8", "replace").removeprefix("\ufeff")
    return text.replace("\0", REPLACEMENT) if "\0" in text else text


def in_utf8(stream: BinaryIO) -> tuple[BinaryIO, bool]:
    """A stream that stands at its start, to be read as UTF-8; whether it was.

    A stream in UTF-16 is turned while it is read.
    """
    start = stream.read(4)
    encoding = _encoding(start)
    whole = rejoined(start, stream)
    if encoding == "utf-8":
        return whole, True
    turned = codecs.EncodedFile(whole, "utf-8", encoding, "replace")
    return cast(BinaryIO, turned), False


def rejoined(start: bytes, rest: BinaryIO) -> BinaryIO:
    """A stream with its beginning, which was read already, put back."""
    return cast(BinaryIO, _Rejoined(start, rest))


class _Rejoined:
    def __init__(self, start: bytes, rest: BinaryIO) -> None:
        self._start = start
        self._rest = rest

    def read(self, size: int) -> bytes:
        if self._start:
            data, self._start = self._start[:size], self._start[size:]
            return data
        return self._rest.read(size)


def _encoding(start: bytes) -> str:
    """What the first four bytes of a file say: a mark, or two ASCII characters."""
    if start[:2] == codecs.BOM_UTF16_LE:
        return "utf-16-le"
    if start[:2] == codecs.BOM_UTF16_BE:
        return "utf-16-be"
    if b"\0" not in start:
        return "utf-8"
    places = [byte == 0 for byte in start]
    if places == [False, True, False, True]:
        return "utf-16-le"
    return "utf-16-be" if places == [True, False, True, False] else "utf-8"


def cut(text: str, limit: int = RAW_LIMIT) -> str:
    """At most the first `limit` characters of `text`."""
    return text if len(text) <= limit else text[:limit]


def is_too_long(text: str) -> bool:
    """Whether a line or record takes more than MAX_RECORD_BYTES in UTF-8."""
    if len(text) <= MAX_RECORD_BYTES // 4:
        return False
    return len(text.encode("utf-8", "surrogatepass")) > MAX_RECORD_BYTES
