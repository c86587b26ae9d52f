"""What looks like an input and is not read, in words and with what to do."""

from __future__ import annotations

from collections.abc import Mapping

from ingest.listing import REMEDIES

# Of a kind, as many are named.
MOST_NAMED = 20

# By what they are, paths relative to the root.
Ignored = Mapping[str, list[str]]


def counted(ignored: Ignored) -> str:
    """`heartbeats by other names (2), inputs in other folders (1,204)`."""
    each = (f"{what} ({len(paths):,})" for what, paths in sorted(ignored.items()))
    return ", ".join(each)


def named(ignored: Ignored) -> dict[str, str]:
    """By what they are, some of the paths and what to do."""
    lines = {}
    for what, paths in sorted(ignored.items()):
        more = len(paths) - MOST_NAMED
        others = f" and {more:,} more" if more > 0 else ""
        shown = ", ".join(paths[:MOST_NAMED])
        lines[what] = f"{shown}{others}: {REMEDIES[what]}"
    return lines
