"""Which contents of inputs are known, and which of them replace each other."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime

from tests.fuzz.readings import Reading, utc

FIRST = int((datetime(2000, 1, 1) - utc(0)).total_seconds())


@dataclass
class Known:
    """A content, with the times (epoch) it was given; `nights` are the UTC days of
    these, without any if one of them cannot be."""

    reading: Reading
    times: set[int] = field(default_factory=set)
    is_vague: bool = False

    @property
    def nights(self) -> set[date]:
        return set() if self.is_vague else {utc(time).date() for time in self.times}


@dataclass
class Owed:
    """Contents of inputs by name and text."""

    contents: dict[tuple[str, str], Known] = field(default_factory=dict)

    def add(self, reading: Reading, now: datetime) -> None:
        """A content was read. One of an impossible time is one of now."""
        known = self.contents.setdefault(reading.key, Known(reading))
        latest = int((now - utc(0)).total_seconds())
        is_possible = FIRST <= reading.modified <= latest
        known.times.add(reading.modified if is_possible else latest)
        known.is_vague |= not is_possible

    def readings(self) -> Iterator[Reading]:
        return (known.reading for known in self.contents.values())

    def groups(self) -> Iterator[list[Known]]:
        """Contents that replace each other, together."""
        found: dict[object, list[Known]] = defaultdict(list)
        for key, known in self.contents.items():
            found[known.reading.group or key].append(known)
        yield from found.values()

    def copy(self) -> Owed:
        """The same, to be changed by itself."""
        return Owed({
            key: Known(known.reading, set(known.times), known.is_vague)
            for key, known in self.contents.items()
        })  # fmt: skip

    def forget_but(self, kept: Iterable[Owed]) -> None:
        """Keep only what stands in one of some others, too."""
        remaining = {key for owed in kept for key in owed.contents}
        for key in self.contents.keys() - remaining:
            del self.contents[key]
