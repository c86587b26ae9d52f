"""The ledger with what was published, and what stands in it, as last seen on disk.

A cache as well: the footers of the Parquet files are the truth.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from datetime import datetime
from typing import Any, ClassVar, NamedTuple

from exporter.runtime.state_folder import make_state_folder
from ingest.root import Root
from ingest.store import ledger


class PublishedFile(NamedTuple):
    """A published file as it was left: its size and time on disk and its footer.

    `shape` stands for its columns, their types and how it is compressed.
    """

    bytes: int
    mtime_ns: int
    checksum: int
    row_count: int
    metadata: dict[str, str]
    shape: str


class PublishedStat(NamedTuple):
    """How a published file was left, and its `shape`."""

    bytes: int
    mtime_ns: int
    shape: str

    def is_of(self, path: str) -> bool:
        """Whether the file that lies there looks so."""
        try:
            seen = os.stat(path)
        except OSError:
            return False
        return (seen.st_size, seen.st_mtime_ns) == (self.bytes, self.mtime_ns)


class Ledger(ledger.Ledger):
    """The ledger file of one root; with no path, one in memory only."""

    TABLES: ClassVar = ledger.Ledger.TABLES | {
        "published": (
            """
            path text not null,
            bytes integer not null,
            mtime_ns integer not null,
            checksum integer not null,
            row_count integer not null,
            metadata text not null,
            shape text not null
            """,
            "path",
        ),
        "rejects": (
            """
            day text not null,
            dataset text not null,
            reason text not null,
            records integer not null
            """,
            "day, dataset, reason",
        ),
        "drift": (
            """
            day text not null,
            source text not null,
            kind text not null,
            name text not null,
            files integer not null,
            first_file text not null
            """,
            "day, source, kind, name",
        ),
        "heard": (
            """
            dataset text not null,
            day text not null,
            source text not null,
            at text not null
            """,
            "dataset, day, source",
        ),
    }

    # Published files

    def published(self) -> dict[str, PublishedFile]:
        """By path."""
        return self.remember("published", self._read_published)

    def _read_published(self) -> dict[str, PublishedFile]:
        rows = self._execute("select * from published").fetchall()
        # All footers as one text: half the time that one by one would take.
        footers = json.loads(f"[{','.join(row[5] for row in rows)}]")
        return {
            path: PublishedFile(size, mtime, checksum, count, footer, shape)
            for (path, size, mtime, checksum, count, _, shape, _), footer in zip(
                rows, footers, strict=True
            )
        }

    def published_stats(self) -> dict[str, PublishedStat]:
        """Of all published files, by path: far quicker than all that is known."""
        rows = self._execute("select path, bytes, mtime_ns, shape from published")
        return {row[0]: PublishedStat._make(row[1:]) for row in rows}

    def put_published(self, path: str, file: PublishedFile) -> None:
        self._put(
            "published",
            path, file.bytes, file.mtime_ns, file.checksum, file.row_count,
            json.dumps(file.metadata, sort_keys=True), file.shape,
        )  # fmt: skip

    def forget_published(self, paths: Iterable[str]) -> None:
        self.begin()
        for path in paths:
            self._write("delete from published where path = ?", (path,))

    # Findings: what stands in the published rejected_records and schema_drift

    def put_findings(
        self, table: str, days: Iterable[str], rows: Iterable[tuple[Any, ...]]
    ) -> None:
        """Replace what `rejects` or `drift` say of some days."""
        assert table in ("rejects", "drift")
        self.begin()
        for day in days:
            self._write(f"delete from {table} where day = ?", (day,))
        for row in rows:
            self._put(table, *row)

    def put_heard(
        self, dataset: str, days: Iterable[str], rows: Iterable[tuple[str, str, str]]
    ) -> None:
        """Replace when some days of a dataset were heard of: (day, source, time)."""
        self.begin()
        for day in days:
            self._write(
                "delete from heard where dataset = ? and day = ?", (dataset, day)
            )
        for row in rows:
            self._put("heard", dataset, *row)

    def heard(self, until: datetime) -> dict[str, datetime]:
        """By source, the newest published time that is not after a moment.

        Of a day that went on behind it, only that is known: the source is taken to
        have been heard at the moment itself.
        """
        moment = until.isoformat(" ", "microseconds")
        rows = self._execute(
            "select source, max(min(at, ?)) from heard "
            "where at <= ? or day = ? group by source",
            (moment, moment, moment[:10]),
        )
        return {source: datetime.fromisoformat(at) for source, at in rows}

    def rejects(self) -> list[tuple[str, str, str, int]]:
        """(day, dataset, reason, records) of all days."""
        return self._execute(
            "select day, dataset, reason, records from rejects"
        ).fetchall()

    def drift(self) -> list[tuple[str, str, str, str, int, str]]:
        """(day, source, kind, name, files, first of them), by day."""
        return self._execute(
            "select day, source, kind, name, files, first_file from drift order by day"
        ).fetchall()


def open_ledger(root: Root, dry_run: bool) -> Ledger:
    """The ledger of a root; a copy that leaves no trace in a dry run."""
    path = root.state / "ledger.sqlite"
    if dry_run:
        return Ledger.copy_in_memory(path) if path.exists() else Ledger(None)
    make_state_folder(root)
    if not path.exists():
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600))
    return Ledger(path)
