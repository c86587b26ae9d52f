"""The published files that exist, and what is known of them."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from exporter.contracts.datasets import Dataset, Table
from exporter.publish.landed import Landed
from exporter.publish.ledger import Ledger, PublishedFile
from exporter.publish.legacy import Foreign, foreign_files
from exporter.publish.losses import doubt_unknown, is_mended
from exporter.publish.published import (
    is_ours,
    named_files,
    published_days,
    read_published,
)
from ingest.root import Root


@dataclass(frozen=True, slots=True)
class Existing:
    """The files of a dataset that exist, by day, and what is known of them.

    `found` has None for one that is damaged; `ledgered` are those that the ledger
    knows; `foreign` those of another program, which stand in neither.
    """

    dataset: Dataset
    paths: Mapping[date, str]
    found: dict[str, PublishedFile | None]
    ledgered: Mapping[str, PublishedFile]
    foreign: list[Foreign]

    @classmethod
    def find(
        cls,
        root: Root,
        ledger: Ledger,
        dataset: Dataset,
        adopted: Collection[str],
        wanted: Mapping[date, list[Landed]] | None = None,
    ) -> Existing:
        named = named_files(root, dataset)
        known = ledger.published()
        found = read_published(root, ledger, dataset, named.days.items())
        foreign = foreign_files(root, ledger, dataset, named, found)
        gone = {file.path for file in foreign}.union(adopted)
        paths = {day: path for day, path in named.days.items() if path not in gone}
        found = {path: file for path, file in found.items() if path not in gone}
        for day, path in paths.items():
            file, left = found.get(path), known.get(path)
            if wanted is None or file is None or file is left:
                continue
            if left is None or left.metadata != file.metadata:
                doubt_unknown(ledger, day, file, wanted.get(day, ()))
        foreign = [file for file in foreign if file.path not in adopted]
        return cls(dataset, paths, found, ledger.published(), foreign)

    def unsure_since(self, is_forced: bool) -> date:
        """The first day whose file may not be as it should be, for datasets of which
        a day is over once a later one is published."""
        left = {
            path
            for path in self.ledgered
            if self.dataset.name_pattern.fullmatch(os.path.basename(path))
        }
        is_as_left = left <= self.found.keys() and all(
            file is not None
            and file.metadata.get("model_fingerprint") == self.dataset.model_fingerprint
            for file in self.found.values()
        )
        if is_forced or not is_as_left:
            return date.min
        return max(self.paths, default=date.min)


def unmended_days(
    ledger: Ledger,
    dataset: Dataset,
    wanted: Mapping[date, list[Landed]],
    found: dict[str, PublishedFile | None],
) -> Iterator[tuple[str, str]]:
    """Days of sources, broken once, from which a dataset's file is not made.

    What may have been made from a part while it was rotten is made again once
    the landing holds the part anew: what is found of such a file is distrusted.
    """
    for (source, on), broken in list(ledger.breaks().items()):
        day = date.fromisoformat(on)
        path = dataset.file(day)
        file = found.get(path)
        if source not in dataset.sources or file is None:
            continue
        if not is_mended(source, file, wanted.get(day, ())):
            yield source, on
        elif broken.is_rotten:
            metadata = file.metadata | {"source_fingerprint": ""}
            distrusted = file._replace(metadata=metadata)
            found[path] = distrusted
            ledger.put_published(path, distrusted)


def published_on(
    root: Root,
    ledger: Ledger,
    tables: Iterable[Table],
    days: Collection[date] | None = None,
) -> list[tuple[str, date | None, str, PublishedFile]]:
    """(table, day, path, file) of whole published files: of all days or some, and
    of tables that have one file in all."""
    found = []
    for table in tables:
        named = named_paths(root, table, days)
        whole = read_published(root, ledger, table, named)
        found += [
            (table.name, day, path, file)
            for day, path in named
            if (file := whole.get(path)) and is_ours(file)
        ]
    return found


def named_paths(
    root: Root, table: Table, days: Collection[date] | None = None
) -> list[tuple[date | None, str]]:
    """A table's files by day; of some days or of the only one as they are named,
    whether they exist or not."""
    if not table.is_daily:
        return [(None, table.path)]
    if days is None:
        return [*published_days(root, table)]
    return [(day, table.file(day)) for day in sorted(days)]


@dataclass(frozen=True)
class ExistingMart:
    """The files of a mart that exist, by day: None for one that is damaged, and not
    those that are `strange`, of another program."""

    files: dict[date | None, PublishedFile | None]
    strange: list[str]

    @classmethod
    def find(cls, root: Root, ledger: Ledger, table: Table) -> ExistingMart:
        named = named_paths(root, table)
        found = read_published(root, ledger, table, named)
        strange = [path for path, file in found.items() if file and not is_ours(file)]
        files = {
            day: found[path]
            for day, path in named
            if path in found and path not in strange
        }
        return cls(files, strange)
