"""Which lines of growing files are known: landed before, or about to be."""

from __future__ import annotations

from ingest.loaders.context import Context
from ingest.store.ledger import Part
from ingest.store.merge import line_identity
from ingest.store.part_files import Json

# Identities of timed lines that are remembered.
MOST_KNOWN = 400_000


class KnownLines:
    """Lines by their identity, looked up when they are first asked for."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self._untimed: dict[str, dict[str, str]] = {}
        self._timed: dict[tuple[str, str], _TimedLines] = {}
        # By source and number, the days and identities of lines that were cut off.
        self._cuts: dict[tuple[str, int], list[tuple[str, str]]] = {}

    def has(self, source: str, record: Json) -> bool:
        """Whether a line is known."""
        mark = line_identity(record)
        if not record["has_timestamp"]:
            return mark in self.untimed(source)
        return mark in self.timed(source, record)

    def untimed(self, source: str) -> dict[str, str]:
        """Day by identity of every untimed line: it is landed once, under
        whichever day it was first given. Who lands one adds it."""
        if source not in self._untimed:
            known = self._untimed[source] = {}
            for day, keys in self.context.ledger.keys(source):
                for key in keys:
                    mark, _, number = key.partition(" ")
                    known[mark] = day
                    if number:
                        self.add_cut(source, int(number), day, mark)
        return self._untimed[source]

    def timed(self, source: str, record: Json) -> set[str]:
        """Identities of the lines of a line's day; of its own time, all of them.
        Who lands one adds it."""
        day = record["day"]
        if (source, day) not in self._timed:
            unread = self.context.ledger.parts_of(source, day)
            self._timed[source, day] = _TimedLines(unread)
        known = self._timed[source, day]
        for part in known.take_parts(record["at"]):
            landed = self.context.landing.records(source, day, part.part)
            known.marks.update(map(line_identity, landed))
        return known.marks

    def cuts(self, source: str, number: int) -> list[tuple[str, str]]:
        """(day, identity) of the lines of a number that were cut off."""
        self.untimed(source)
        return [*self._cuts.get((source, number), ())]

    def add_cut(self, source: str, number: int, day: str, mark: str) -> None:
        self._cuts.setdefault((source, number), []).append((day, mark))

    def forget_cut(self, source: str, number: int, day: str, mark: str) -> None:
        """It is landed no more: there is more of it now."""
        self.untimed(source).pop(mark, None)
        self._cuts[source, number].remove((day, mark))

    def forget_if_many(self) -> None:
        """Let timed lines be looked up anew, where too many are remembered. All
        of them have to be landed."""
        if sum(len(day.marks) for day in self._timed.values()) > MOST_KNOWN:
            self._timed.clear()


class _TimedLines:
    """What is known of a day's timed lines: identities, as far as they matter.

    Equal lines have the same time: so only those parts are looked into whose
    times include that of a line that is asked for.
    """

    def __init__(self, unread: list[Part]) -> None:
        self.unread = unread
        self.marks: set[str] = set()

    def take_parts(self, at: str) -> list[Part]:
        """The parts that may hold a line of a time and were not taken yet."""
        taken = [part for part in self.unread if part.span[0] <= at <= part.span[1]]
        if taken:
            self.unread = [part for part in self.unread if part not in taken]
        return taken
