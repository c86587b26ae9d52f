"""One table of a TOML file, each of its keys taken once and held to its type."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, overload

# What would break the line of a heartbeat in which a name stands.
UNWRITABLE = re.compile(r"[\x00-\x1f\x7f*\u2028\u2029]")


class BadSetting(ValueError):
    """A setting that cannot be meant; the message is one line with a remedy."""


class Section:
    """Reads the keys of one table; every reader raises BadSetting."""

    def __init__(self, table: dict[str, Any], path: Path, title: str) -> None:
        self._table = table
        self._path = path
        self._title = title
        self._known: list[str] = []

    def bad(self, key: str, said: str) -> BadSetting:
        where = f"{self._title} {key}".strip()
        return BadSetting(f"{self._path}: {where} {said}")

    def text(self, key: str, default: str | None = None) -> str:
        value = self._take(key, default)
        if value is None:
            raise self.bad(key, f'is missing: write {key} = "…"')
        if not isinstance(value, str) or "\0" in value:
            raise self.bad(key, f'is no text: write {key} = "…"')
        if default is None and not value.strip():
            raise self.bad(key, f'is empty: write {key} = "…"')
        return value

    def name(self, key: str) -> str:
        """A text that can stand for a check in a heartbeat."""
        value = self.text(key).strip()
        if UNWRITABLE.search(value) or value.endswith(":"):
            raise self.bad(key, "has *, a line end or a last : in it: leave those out")
        return value

    def flag(self, key: str, default: bool) -> bool:
        value = self._take(key, default)
        if not isinstance(value, bool):
            raise self.bad(key, "is neither true nor false")
        return value

    def choice(self, key: str, default: str, choices: Sequence[str]) -> str:
        value = self._take(key, default)
        if value not in choices:
            named = ", ".join(f'"{choice}"' for choice in choices)
            raise self.bad(key, f"is {value!r}: choose one of {named}")
        return str(value)

    @overload
    def whole(self, key: str, default: int, low: int, high: int) -> int: ...
    @overload
    def whole(self, key: str, default: None, low: int, high: int) -> int | None: ...
    def whole(self, key: str, default: int | None, low: int, high: int) -> int | None:
        value = self.number(key, default, low, high)
        if isinstance(value, float):
            raise self.bad(key, f"is {value!r}: give a whole number")
        return value

    def number(
        self, key: str, default: float | None, low: float, high: float
    ) -> float | None:
        value = self._take(key, default)
        if value is None:
            return None
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if not is_number or not low <= value <= high:
            raise self.bad(key, f"is {value!r}: give a number from {low:g} to {high:g}")
        number: float = value
        return number

    def words(self, key: str) -> tuple[str, ...]:
        value = self._take(key, None)
        is_list = isinstance(value, list) and bool(value)
        if not is_list or not all(isinstance(word, str) for word in value):
            example = f'{key} = ["/bin/test", "-d", "/data"]'
            raise self.bad(key, f"is no list of words: write {example}")
        if not value[0] or any("\0" in word for word in value):
            raise self.bad(key, "names no program")
        return tuple(value)

    def table(self, key: str) -> Section | None:
        value = self._take(key, None)
        if value is None:
            return None
        if not isinstance(value, dict):
            raise self.bad(key, f"is no section: write [{key}] above its keys")
        return Section(value, self._path, f"[{key}]")

    def tables(self, key: str) -> list[Section]:
        value = self._take(key, [])
        is_list = isinstance(value, list)
        if not is_list or not all(isinstance(entry, dict) for entry in value):
            raise self.bad(key, f"is no list of sections: write [[{key}]] above each")
        return [
            Section(entry, self._path, f"[[{key}]] number {number}:")
            for number, entry in enumerate(value, start=1)
        ]

    def finish(self) -> None:
        """Refuse what was not asked for: most likely it is misspelt."""
        for key in self._table:
            if key not in self._known:
                close = difflib.get_close_matches(key, self._known, 1)
                meant = f"did you mean {close[0]}" if close else "there are "
                meant += "?" if close else ", ".join(self._known)
                raise self.bad(key, f"is no setting: {meant}")

    def _take(self, key: str, default: Any) -> Any:
        self._known.append(key)
        return self._table.get(key, default)
