"""The little Markdown that the reports need."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

# A dash or a number at the start of a line is no matter: no text begins one.
SPECIAL = str.maketrans(
    {char: "\\" + char for char in "\\`*_[]|#"}
    | {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
)


def one_line(text: str) -> str:
    """A text in which nothing can begin a line of its own."""
    return " ".join(text.split())


def plain(text: str) -> str:
    """A text that stays in its line and cell and is read as it is."""
    return one_line(text).translate(SPECIAL)


def table(
    header: Sequence[str], rows: Iterable[Sequence[str]], numbers: Sequence[str] = ()
) -> str:
    """A table of finished Markdown cells; columns in `numbers` are set right."""
    rules = ["---:" if name in numbers else "---" for name in header]
    return "\n".join("| " + " | ".join(row) + " |" for row in (header, rules, *rows))
