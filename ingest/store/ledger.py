"""The ledger: what has been read and landed, as last seen on disk.

A cache and nothing more: the landing is the truth about what was read. A ledger
that is lost or damaged is made again from it, at the price of reading everything
once.
"""

from __future__ import annotations

import functools
import json
import zlib
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, ClassVar, NamedTuple

from ingest.store.sealed import SealedTables


@dataclass(frozen=True)
class Part:
    """One file of the landing: what it holds and how it looks on disk.

    `counts` are landed records per dataset; `keys` are identities that must
    be found whatever their day (heartbeat names, summary versions, untimed
    lines); `checksum` is the CRC-32 of the file's bytes; `source_bytes` is the
    size of the inputs it was made from; `dropped` counts records that moved to
    another day or turned out to be the beginning of another one; `span` is the
    first and the last time that stands in its lines, empty without one;
    `recheck_on` is the first day on which a reject for its date may be one no more.
    """

    source: str
    day: str
    part: str
    bytes: int
    mtime_ns: int
    checksum: int
    fingerprint: str
    parser: str
    counts: dict[str, int]
    source_bytes: int
    dropped: int = 0
    span: tuple[str, str] = ("", "")
    keys: list[str] = field(default_factory=list)
    recheck_on: str = ""


@dataclass(frozen=True)
class SeenInput:
    """An input as it was when it was last read; `position` is for logs.

    `feeds` are the days, by source, whose parts hold what it says: should one of
    them be lost, the input is read again. Heartbeats are told by their names.
    """

    source: str
    bytes: int
    mtime_ns: int
    position: dict[str, Any] | None = None
    feeds: dict[str, list[str]] = field(default_factory=dict)


class Break(NamedTuple):
    """A day of a source of which something landed was lost, or may have been.

    `mark` is the fingerprint of all that the landing then held of it, empty for
    nothing known: what was published from just that has lost nothing. `is_rotten`
    says that a part of it was damaged without a trace: something may have been
    made from it so.
    """

    mark: str
    is_rotten: bool = False


class Ledger(SealedTables):
    """The ledger file of one root; with no path, one in memory only."""

    LAYOUT: ClassVar = 7
    TABLES: ClassVar = {
        "parts": (
            """
            source text not null,
            day text not null,
            part text not null,
            bytes integer not null,
            mtime_ns integer not null,
            checksum integer not null,
            fingerprint text not null,
            parser text not null,
            counts text not null,
            source_bytes integer not null,
            dropped integer not null,
            first_at text not null,
            last_at text not null,
            recheck_on text not null,
            keys blob not null
            """,
            "source, day, part",
        ),
        "inputs": (
            """
            path text not null,
            source text not null,
            bytes integer not null,
            mtime_ns integer not null,
            position text,
            feeds text not null
            """,
            "path",
        ),
        "doubted": (
            """
            day text not null
            """,
            "day",
        ),
        "breaks": (
            """
            source text not null,
            day text not null,
            mark text not null,
            is_rotten integer not null
            """,
            "source, day",
        ),
    }

    def size(self, table: str) -> tuple[int, int]:
        """(files, their bytes) of a table of files, such as `parts`."""
        assert table in self.TABLES
        (files, size) = self._execute(
            f"select count(*), coalesce(sum(bytes), 0) from {table}"
        ).fetchone()
        return files, size

    # Landing parts

    def parts(self, source: str | None = None) -> Iterator[Part]:
        where, bind = ("where source = ?", (source,)) if source else ("", ())
        for row in self._execute(f"select * from parts {where}", bind):
            yield _part(row)

    def parts_of(self, source: str, day: str) -> list[Part]:
        """The parts of a source and day."""
        rows = self._execute(
            "select * from parts where source = ? and day = ?", (source, day)
        )
        return [_part(row) for row in rows]

    def parts_read_otherwise(self, source: str, parser: str) -> list[Part]:
        """Parts of a source that another parser made."""
        rows = self._execute(
            "select * from parts where source = ? and parser <> ?", (source, parser)
        )
        return [_part(row) for row in rows]

    def parts_to_recheck(self, day: str) -> list[Part]:
        """Parts in which a reject for its date may be one no more on a day."""
        rows = self._execute(
            "select * from parts where recheck_on <> '' and recheck_on <= ?", (day,)
        )
        return [_part(row) for row in rows]

    def part_stats(self) -> Iterator[tuple[str, str, str, int, int, int]]:
        """(source, day, part, bytes, mtime_ns, checksum) of every part."""
        yield from self._execute(
            "select source, day, part, bytes, mtime_ns, checksum from parts"
        )

    def landed(self) -> list[tuple[str, str, str, str, int, int, dict[str, int]]]:
        """(source, day, part, fingerprint, source bytes, dropped, counts)."""
        return self.remember("landed", self._read_landed)

    def _read_landed(
        self,
    ) -> list[tuple[str, str, str, str, int, int, dict[str, int]]]:
        rows = self._execute(
            "select source, day, part, fingerprint, source_bytes, dropped, counts "
            "from parts order by source, day, part"
        )
        # Most days look like another one.
        loads = functools.lru_cache(json.loads)
        return [(*row[:6], loads(row[6])) for row in rows]

    def newest_days(self, until: str) -> dict[str, str]:
        """By source, the newest day on which it landed a record, up to a day."""
        return dict(
            self._execute(
                "select source, max(day) from parts "
                "where source not in ('observed_columns', 'legacy_parquet') "
                "and day <= ? "
                "group by source order by source",
                (until,),
            )
        )

    def source_bytes(self, source: str) -> dict[str, int]:
        """By day, the size of the inputs that a source was landed from."""
        return dict(
            self._execute(
                "select day, sum(source_bytes) from parts "
                "where source = ? group by day",
                (source,),
            )
        )

    def keys(self, source: str, since: str = "") -> Iterator[tuple[str, list[str]]]:
        """(day, keys) of every part of a source that has keys."""
        for day, blob in self._execute(
            "select day, keys from parts "
            "where source = ? and day >= ? and length(keys) > 0",
            (source, since),
        ):
            yield day, zlib.decompress(blob).decode().split("\n")

    def part(self, source: str, day: str, part: str) -> Part | None:
        row = self._execute(
            "select * from parts where source = ? and day = ? and part = ?",
            (source, day, part),
        ).fetchone()
        return _part(row) if row else None

    def checksum(self, source: str, day: str, part: str) -> int | None:
        """What the bytes of a part add up to; None for one that is not known."""
        row = self._execute(
            "select checksum from parts where source = ? and day = ? and part = ?",
            (source, day, part),
        ).fetchone()
        return row[0] if row else None

    def put_part(self, part: Part) -> None:
        keys = zlib.compress("\n".join(part.keys).encode()) if part.keys else b""
        self._put(
            "parts",
            part.source, part.day, part.part, part.bytes, part.mtime_ns,
            part.checksum, part.fingerprint, part.parser,
            json.dumps(part.counts, sort_keys=True), part.source_bytes,
            part.dropped, *part.span, part.recheck_on, keys,
        )  # fmt: skip

    def forget_part(self, source: str, day: str, part: str) -> None:
        self.begin()
        self._write(
            "delete from parts where source = ? and day = ? and part = ?",
            (source, day, part),
        )

    # Inputs

    def inputs(self) -> dict[str, SeenInput]:
        return {
            path: SeenInput(
                source, size, mtime, json.loads(at) if at else None, json.loads(feeds)
            )
            for path, source, size, mtime, at, feeds, _ in self._execute(
                "select * from inputs"
            )
        }

    def input(self, path: str) -> SeenInput | None:
        """An input as it was when it was last read."""
        row = self._execute(
            "select source, bytes, mtime_ns, position, feeds from inputs "
            "where path = ?",
            (path,),
        ).fetchone()
        if row is None:
            return None
        source, size, mtime, at, feeds = row
        position = json.loads(at) if at else None
        return SeenInput(source, size, mtime, position, json.loads(feeds))

    def put_input(self, path: str, seen: SeenInput) -> None:
        self._put(
            "inputs",
            path, seen.source, seen.bytes, seen.mtime_ns,
            json.dumps(seen.position) if seen.position else None,
            json.dumps(seen.feeds),
        )  # fmt: skip

    def forget_inputs(self, paths: Iterable[str]) -> None:
        self.begin()
        for path in paths:
            self._write("delete from inputs where path = ?", (path,))

    def forget_inputs_behind(self, parts: Collection[tuple[str, str]]) -> None:
        """Inputs that feed a (source, day) are read again as if never seen."""
        # Which columns were seen may have been said by any input of a day.
        columns = {day for source, day in parts if source == "observed_columns"}
        self.forget_inputs(
            path
            for path, seen in self.inputs().items()
            if any(
                (source, day) in parts or day in columns
                for source, days in seen.feeds.items()
                for day in days
            )
        )

    def move_feeds(self, source: str, day: str, to: str) -> None:
        """What inputs said of a day stands under another one now, too."""
        for path, seen in self.inputs().items():
            days = seen.feeds.get(source, [])
            if day in days and to not in days:
                feeds = seen.feeds | {source: sorted([*days, to])}
                self.put_input(path, replace(seen, feeds=feeds))

    # Days whose landed heartbeats were put there by who knows whom: that a name is
    # among them does not say that what lies under the root was read.

    def doubt(self, day: str) -> None:
        self._put("doubted", day)

    def doubted(self) -> list[str]:
        return [day for (day,) in self._execute("select day from doubted")]

    def forget_doubts(self) -> None:
        if self.doubted():  # or a run with nothing new would write
            self.begin()
            self._write("delete from doubted")

    # Days whose landing is not known to go on from what it was

    def note_break(self, source: str, day: str, noted: Break) -> None:
        before = self.breaks().get((source, day), noted)
        is_rotten = noted.is_rotten or before.is_rotten
        self._put("breaks", source, day, noted.mark, int(is_rotten))

    def breaks(self) -> dict[tuple[str, str], Break]:
        """By source and day."""
        return self.remember("breaks", self._read_breaks)

    def _read_breaks(self) -> dict[tuple[str, str], Break]:
        rows = self._execute("select source, day, mark, is_rotten from breaks")
        return {
            (source, day): Break(mark, bool(is_rotten))
            for source, day, mark, is_rotten in rows
            if _is_day(day)  # once the names of folders that are none got here
        }

    def forget_breaks(self, mended: Iterable[tuple[str, str]]) -> None:
        self.begin()
        for source, day in mended:
            self._write(
                "delete from breaks where source = ? and day = ?", (source, day)
            )


def _is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _part(row: tuple[Any, ...]) -> Part:
    (
        *head,
        counts,
        source_bytes,
        dropped,
        first_at,
        last_at,
        recheck_on,
        packed,
        _,
    ) = row
    source, day, part, size, mtime_ns, checksum, fingerprint, parser = head
    keys = zlib.decompress(packed).decode().split("\n") if packed else []
    return Part(
        source, day, part, size, mtime_ns, checksum, fingerprint, parser,
        json.loads(counts), source_bytes, dropped, (first_at, last_at), keys,
        recheck_on,
    )  # fmt: skip
