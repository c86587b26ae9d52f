"""JSON whose numbers stay as they were written.

Landed cells are text. A number that went through a float would come back
changed (`52.00` as `52.0`, nineteen digits as seventeen), so numbers are kept
as `Number`, and what no DOUBLE or BIGINT can hold becomes a string, which DuckDB
hands on as it stands.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from json.encoder import encode_basestring
from typing import Any

from ingest.text.clean import clean

MAX_DEPTH = 200
"""Deeper nesting is refused: nothing in these reports comes near it."""

MAX_VALUES = 1 << 19
"""More is refused: `[[],[],…` takes 90 times as much memory as text."""

MAX_NAMES = 1_000
MAX_NAME_LENGTH = 200

_BIGINT_MIN = -(1 << 63)
_BIGINT_MAX = (1 << 63) - 1


class BadJson(ValueError):
    """The text is not usable JSON; `str()` is a short reason to count by."""


@dataclass(frozen=True, slots=True)
class Number:
    """A JSON number as written."""

    text: str

    def __str__(self) -> str:
        return self.text


# The recursive type would cost a cast at every step; Any is what json returns.
Json = Any


def _integer(text: str) -> Number | str:
    # Twenty characters hold every BIGINT, and keep int() from its digit limit.
    if len(text) < 19:
        return Number(text)
    if len(text) > 20 or not _BIGINT_MIN <= int(text) <= _BIGINT_MAX:
        return text
    return Number(text)


def _float(text: str) -> Number | str:
    value = float(text)
    if abs(value) < 1 << 53:
        # A fraction is rounded, but not to nothing.
        is_lost = value == 0 and text.lower().partition("e")[0].strip("-0.")
        return text if is_lost else Number(text)
    if value in (float("inf"), float("-inf")):
        return text
    from decimal import Decimal  # for numbers that hardly ever come

    return Number(text) if Decimal(text) == value else text


_DECODER = json.JSONDecoder(
    parse_float=_float, parse_int=_integer, parse_constant=str, strict=False
)


def parse_json(text: str) -> Json:
    """The value of a JSON text: None, bool, str, Number, list or dict.

    Of equal keys the last counts; NaN and the infinities become strings; what
    cannot be stored (NUL, lone surrogates) becomes U+FFFD.

    Raises:
        BadJson: and nothing else, whatever the text.
    """
    if len(text) > MAX_VALUES and sum(map(text.count, "[{,:")) > MAX_VALUES:
        raise BadJson("too many values")
    try:
        value = _DECODER.decode(text.strip("\ufeff \t\r\n"))
    except (ValueError, RecursionError) as error:
        deep = isinstance(error, RecursionError)
        raise BadJson("nested too deeply" if deep else "not JSON") from None
    if text.count("[") + text.count("{") > MAX_DEPTH and _is_deep(value):
        raise BadJson("nested too deeply")
    if "\\u" in text or clean(text) is not text:
        value = _cleaned(value)
    return value


def _is_deep(value: Json) -> bool:
    level = [value]
    for _ in range(MAX_DEPTH + 1):
        level = [child for parent in level for child in _children(parent)]
        if not level:
            return False
    return True


def _children(value: Json) -> Iterator[Json]:
    if isinstance(value, dict):
        yield from value.values()
    elif isinstance(value, list):
        yield from value


def _cleaned(value: Json) -> Json:
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, list):
        return [_cleaned(item) for item in value]
    if isinstance(value, dict):
        return {clean(key): _cleaned(item) for key, item in value.items()}
    return value


def cell(value: Json) -> str | None:
    """A JSON value as the text of a landed cell; null is None."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Number):
        return value.text
    return dump(value)


def dump(value: Json) -> str:
    """One line of JSON, keys in the order given, which DuckDB can read."""
    try:
        text = _ENCODER.encode(value)
    except (TypeError, ValueError):
        # There is a Number in it, which only the slow way can write.
        return "".join(_written(value))
    # An escaped NUL is readable, but clean() would have replaced it.
    return "".join(_written(value)) if "\\u0000" in text else clean(text)


_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def _written(value: Json) -> Iterator[str]:
    if isinstance(value, str):
        yield _string(value)
    elif value is None:
        yield "null"
    elif isinstance(value, bool):
        yield "true" if value else "false"
    elif isinstance(value, (Number, int)):
        yield str(value)
    elif isinstance(value, dict):
        yield "{"
        for position, (key, item) in enumerate(value.items()):
            yield ("," if position else "") + _string(str(key)) + ":"
            yield from _written(item)
        yield "}"
    elif isinstance(value, list):
        yield "["
        for position, item in enumerate(value):
            if position:
                yield ","
            yield from _written(item)
        yield "]"
    else:
        yield _string(str(value))


def _string(text: str) -> str:
    return encode_basestring(clean(text))


# A string that ends, one that does not, and what stands between values.
_PIECES = re.compile(r'"(?:[^"\\]|\\.)*"|"(?:[^"\\]|\\.)*\\?\Z|\s+', re.DOTALL)


def compact(text: str) -> str:
    """A JSON text, or its beginning, about as `dump` would write it."""
    return _PIECES.sub(_compact_piece, text.lstrip("\ufeff"))


def _compact_piece(piece: re.Match[str]) -> str:
    text = piece[0]
    if not text.startswith('"'):
        return ""
    is_open = len(text) == 1 or not text.endswith('"')
    try:
        said = _DECODER.decode(f'{text}"' if is_open else text)
    except ValueError:
        return text
    return _string(said).removesuffix('"') if is_open else _string(said)


def key_names(value: Json) -> list[str]:
    """The keys of an object, and one level below as `key.inner`, each once.

    Inner keys are those of an object or of any object in a list.
    """
    names: dict[str, None] = {}
    for key, item in value.items() if isinstance(value, dict) else ():
        key = key[:MAX_NAME_LENGTH]
        names[key] = None
        for inner in item if isinstance(item, list) else [item]:
            if len(names) > MAX_NAMES:
                break
            if isinstance(inner, dict):
                found = islice(inner, MAX_NAMES)
                names.update(
                    (f"{key}.{name[:MAX_NAME_LENGTH]}"[:MAX_NAME_LENGTH], None)
                    for name in found
                )
    return list(names)[:MAX_NAMES]
