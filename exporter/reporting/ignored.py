"""What looks like an input and is not read, in words and with what to do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from exporter.publish.ledger import Ledger
from ingest import advice
from ingest.listing import REMEDIES
from ingest.root import Root
from ingest.sources.lines import UNKNOWN_KIND

# Of a kind, as many are named.
MOST_NAMED = 20
UNKNOWN_LINES = "log lines of a kind that is not read"

# By what they are, paths relative to the root.
Ignored = Mapping[str, list[str]]
# By the dataset that they were rejected from.
Lines = Mapping[str, int]


def unread_lines(ledger: Ledger) -> Lines:
    """How many lines of logs are of a kind that is not read: each is a reject."""
    found: Counter[str] = Counter()
    for _, dataset, reason, records in ledger.rejects():
        if reason.endswith(UNKNOWN_KIND):
            found[dataset] += records
    return found


def counted(ignored: Ignored, lines: Lines) -> str:
    """`heartbeats by other names (2), inputs in other folders (1,204)`."""
    numbers = {what: len(paths) for what, paths in ignored.items()}
    if lines:
        numbers[UNKNOWN_LINES] = sum(lines.values())
    return ", ".join(f"{what} ({number:,})" for what, number in sorted(numbers.items()))


def named(root: Root, ignored: Ignored, lines: Lines) -> Iterator[tuple[str, str]]:
    """What they are and how many, with some of the paths and what to do."""
    for what, paths in sorted(ignored.items()):
        more = len(paths) - MOST_NAMED
        others = f" and {more:,} more" if more > 0 else ""
        shown = ", ".join(paths[:MOST_NAMED])
        yield counted({what: paths}, {}), f"{shown}{others}: {REMEDIES[what]}"
    if lines:
        datasets = (f"{n:,} for {dataset}" for dataset, n in sorted(lines.items()))
        said = f"{', '.join(datasets)}, kept as rejects; to see one of each kind"
        yield counted({}, lines), advice.run(said, root, "rejects")
