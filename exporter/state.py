"""What is stored under a root, as counted by the ledger: cheap to ask."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import date

from exporter.bookkeeping import open_ledger
from ingest.documents import utc_now
from ingest.landing import landed_days
from ingest.root import Root


@dataclass
class Stored:
    """Totals over all days; `newest` is (source, newest day, age in days)."""

    parquet_files: int = 0
    parquet_bytes: int = 0
    landing_files: int = 0
    landing_bytes: int = 0
    rejects: dict[str, Counter[str]] = field(default_factory=dict)
    drift: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    newest: list[tuple[str, date, int]] = field(default_factory=list)


def take_state(root: Root) -> Stored:
    """Count what the ledger knows. Writes nothing."""
    stored = Stored()
    ledger = open_ledger(root, dry_run=True)
    try:
        for file in ledger.published().values():
            stored.parquet_files += 1
            stored.parquet_bytes += file.bytes
        for _, _, _, size, _ in ledger.looks():
            stored.landing_files += 1
            stored.landing_bytes += size
        for _, dataset, reason, records in ledger.rejects():
            stored.rejects.setdefault(dataset, Counter())[reason] += records
        for _, source, kind, name, number in ledger.drift():
            stored.drift[source, kind, name] += number
        newest: dict[str, date] = {}
        for row in landed_days(ledger):
            if row.dataset:
                newest[row.source] = date.fromisoformat(row.day)
        today = utc_now().date()
        stored.newest = [
            (source, day, max((today - day).days, 0))
            for source, day in sorted(newest.items())
        ]
    finally:
        ledger.close()
    return stored
