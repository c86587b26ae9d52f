"""Takes down what became of each file of a run, and shows it."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from exporter.contracts.datasets import ALWAYS, Dataset
from exporter.contracts.marts import Mart
from exporter.publish.ledger import Ledger, PublishedFile
from exporter.publish.losses import told_of_kept_rows
from exporter.publish.plan import Due
from exporter.publish.work import Work
from exporter.reporting.results import FileResult, RunResult
from exporter.reporting.screen import Screen
from ingest.inputs import utc_now
from ingest.root import Root
from ingest.store.landed_days import landed_days


class FileResults:
    """Puts a result for each file into the run's, with rows, rejects and bytes."""

    def __init__(
        self,
        root: Root,
        ledger: Ledger,
        datasets: Mapping[str, Dataset],
        marts: Mapping[str, Mart],
        result: RunResult,
        screen: Screen,
    ) -> None:
        self.root = root
        self.ledger = ledger
        self.datasets = datasets
        self.marts = marts
        self.result = result
        self.screen = screen

    def skip(
        self,
        current: Iterable[tuple[str, date | None, str]],
        published: Mapping[str, PublishedFile],
    ) -> None:
        """(dataset, day, path) of files that are as they should be."""
        rejects = self._reject_counts()
        skipped = [
            self._file(table, day, path, "skipped", published[path], rejects)
            for table, day, path in current
        ]
        self.result.files += skipped
        self.screen.skipped(skipped)

    def would_be(self, stale: Iterable[Due]) -> None:
        """Files that a run which is no dry one would make."""
        would_be = [self._of(target, "would_export") for target in stale]
        self.result.files += would_be
        self.screen.dry_run(would_be)

    def collect(self, work: Work, is_well: bool) -> list[str]:
        """Take over what became of each file; returns those not seen to.

        What is published only with others waits for a run in which all is well.
        """
        rejects = self._reject_counts()
        for done in work.done:
            status = "exported" if done.file else "failed"
            file = self._of(done.target, status, done.file, rejects)
            self.result.files.append(file)
            metadata = done.file.metadata if done.file else {}
            for warning in told_of_kept_rows(self.root, file.path, metadata):
                self.result.warnings.append(warning)
            if done.reason:
                said = f"{done.target.path}: not published: {done.reason}"
                self.result.errors.append(said)
        seen_to = {done.target.path for done in work.done}
        left_out = [
            target
            for target in (*work.stale, *work.marts.stale)
            if target.path not in seen_to
            and (is_well or not self._is_along(target.dataset))
        ]
        self.result.files += [self._of(target, "failed") for target in left_out]
        self.screen.exported(self.result.with_status("exported"), utc_now().date())
        return sorted(target.path for target in left_out)

    def _is_along(self, name: str) -> bool:
        """Whether a table is published only with others."""
        return name in self.datasets and self.datasets[name].only_with_others

    def _of(self, target: Due, *more: Any) -> FileResult:
        file = self._file(target.dataset, target.day, target.path, *more)
        file.reason = target.reason
        return file

    def _file(
        self,
        dataset: str,
        day: date | None,
        path: str,
        status: str,
        file: PublishedFile | None = None,
        rejects: Mapping[tuple[str, str], int] | None = None,
    ) -> FileResult:
        if dataset in self.marts:
            on = day.isoformat() if day else None
            made = FileResult(dataset, on, path, status, is_mart=True)
            if file:
                made.rows, made.parquet_bytes = file.row_count, file.bytes
            return made
        assert day is not None
        at = dataset, day.isoformat()
        size = self._source_bytes.get(at, 0)
        if file is None:
            return FileResult(*at, path, status, source_bytes=size)
        counts = file.row_count, (rejects or {}).get(at, 0), size, file.bytes
        return FileResult(*at, path, status, *counts)

    @functools.cached_property
    def _source_bytes(self) -> dict[tuple[str, str], int]:
        """Bytes of input per dataset and day."""
        by_source: dict[tuple[str, str], int] = {}
        for row in landed_days(self.ledger):
            by_source[row.source, row.day] = row.source_bytes
        fed: dict[str, list[str]] = {}
        for name, dataset in self.datasets.items():
            # Rejects, drift and counts are no copy of what they come from.
            if name not in ALWAYS and not dataset.only_with_others:
                for source in dataset.sources:
                    fed.setdefault(source, []).append(name)
        sizes: dict[tuple[str, str], int] = {}
        for (source, day), size in by_source.items():
            for name in fed.get(source, ()):
                sizes[name, day] = sizes.get((name, day), 0) + size
        return sizes

    def _reject_counts(self) -> dict[tuple[str, str], int]:
        """Rejects per dataset and day, as they are published now."""
        counts: dict[tuple[str, str], int] = {}
        for day, dataset, _, records in self.ledger.rejects():
            counts[dataset, day] = counts.get((dataset, day), 0) + records
        return counts
