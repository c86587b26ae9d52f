"""What is stored under a root, as counted by the ledger: cheap to ask."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from exporter.publish.ledger import open_ledger
from exporter.runtime.present import present
from ingest.registry import CSV_SOURCES
from ingest.root import Root
from ingest.sources.heartbeats import time_in_name
from ingest.store.ledger import Ledger
from ingest.text.times import MAX_AHEAD


@dataclass
class Stored:
    """Totals over all days; `newest` is (source, newest day, age in days).

    `csv_bytes` are those of the CSV files with single queries, by day.
    `heard_at` says when heartbeats and CSV files were last heard of: the time
    of the newest heartbeat, and the end of the newest day that has a CSV.
    What is dated more than a day ahead says nothing of either.
    """

    parquet_files: int = 0
    parquet_bytes: int = 0
    landing_files: int = 0
    landing_bytes: int = 0
    rejects: dict[str, Counter[str]] = field(default_factory=dict)
    drift: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    newest: list[tuple[str, date, int]] = field(default_factory=list)
    csv_bytes: dict[str, int] = field(default_factory=dict)
    heard_at: dict[str, datetime] = field(default_factory=dict)

    @property
    def bytes(self) -> int:
        """All that Parquet and landing take."""
        return self.parquet_bytes + self.landing_bytes


def count_stored(root: Root) -> Stored:
    """Count what the ledger knows. Writes nothing."""
    stored = Stored()
    ledger = open_ledger(root, dry_run=True)
    try:
        stored.parquet_files, stored.parquet_bytes = ledger.size("published")
        stored.landing_files, stored.landing_bytes = ledger.size("parts")
        for _, dataset, reason, records in ledger.rejects():
            stored.rejects.setdefault(dataset, Counter())[reason] += records
        for _, source, kind, name, number in ledger.drift():
            stored.drift[source, kind, name] += number
        now = present()
        today = now.date()
        newest = {
            source: date.fromisoformat(day)
            for source, day in ledger.newest_days(str(today + MAX_AHEAD)).items()
        }
        stored.csv_bytes = ledger.source_bytes("query_rows")
        stored.newest = [
            (source, day, max((today - day).days, 0)) for source, day in newest.items()
        ]
        stored.heard_at = _heard_at(ledger, newest, now)
    finally:
        ledger.close()
    return stored


def _heard_at(
    ledger: Ledger, newest: dict[str, date], now: datetime
) -> dict[str, datetime]:
    heard = {}
    if day := newest.get("heartbeats"):
        newest_day = day.isoformat()
        names = [
            name
            for of_day, found in ledger.keys("heartbeats", since=newest_day)
            for name in found
        ]
        times = [at for name in names if (at := time_in_name(name))]
        believed = [at for at in times if at - now <= MAX_AHEAD]
        heard["heartbeats"] = max(believed, default=_end_of(day))
    if days := [newest[source] for source in CSV_SOURCES if source in newest]:
        heard["csv"] = _end_of(max(days))
    return heard


def _end_of(day: date) -> datetime:
    return datetime(day.year, day.month, day.day) + timedelta(days=1)
