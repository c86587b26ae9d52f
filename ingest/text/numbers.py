"""Numbers of things, in words."""

from __future__ import annotations


def count(number: int, one: str, many: str = "") -> str:
    """`1 row`, `1,234 rows`; `many` is for those that take more than an `s`."""
    return f"{number:,} {one if number == 1 else many or f'{one}s'}"
