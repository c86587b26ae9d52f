"""What is stored under a root, as counted by the ledger: cheap to ask."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from exporter.publish.counts import SOURCES_HEARD
from exporter.publish.ledger import Ledger
from exporter.reporting.ignored import Lines, unread_lines
from exporter.runtime.present import present
from ingest.registry import CSV_SOURCES


@dataclass
class Stored:
    """Totals over all days.

    `newest` is (source, newest day of which something is published, its age in
    days), None where nothing is. `csv_bytes` are those of the CSV files with
    single queries, by day. `drift` counts files by (source, kind, column);
    `drift_seen` says in which file each was seen first, and on which day last.
    `heard_at` says when heartbeats and CSV files were last heard of: the time
    of the newest heartbeat, and the end of the newest day that has a CSV. Only
    what is published, and not dated ahead, says so: a reject is no sign of life.
    """

    parquet_files: int = 0
    parquet_bytes: int = 0
    landing_files: int = 0
    landing_bytes: int = 0
    rejects: dict[str, Counter[str]] = field(default_factory=dict)
    unread_lines: Lines = field(default_factory=dict)
    drift: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    drift_seen: dict[tuple[str, str, str], tuple[str, date]] = field(
        default_factory=dict
    )
    newest: list[tuple[str, date | None, int | None]] = field(default_factory=list)
    csv_bytes: dict[str, int] = field(default_factory=dict)
    heard_at: dict[str, datetime] = field(default_factory=dict)

    @property
    def bytes(self) -> int:
        """All that Parquet and landing take."""
        return self.parquet_bytes + self.landing_bytes


def count_stored(ledger: Ledger) -> Stored:
    """Count what the ledger knows."""
    stored = Stored()
    stored.parquet_files, stored.parquet_bytes = ledger.size("published")
    stored.landing_files, stored.landing_bytes = ledger.size("parts")
    for _, dataset, reason, records in ledger.rejects():
        stored.rejects.setdefault(dataset, Counter())[reason] += records
    stored.unread_lines = unread_lines(ledger)
    for day, source, kind, name, number, file in ledger.drift():
        key = source, kind, name
        stored.drift[key] += number
        first, _ = stored.drift_seen.get(key, (file, None))
        stored.drift_seen[key] = first, date.fromisoformat(day)
    now = present()
    stored.csv_bytes = ledger.source_bytes("query_rows")
    stored.newest = [
        (source, day, (now.date() - day).days if day else None)
        for source, day in newest_days(ledger, now).items()
    ]
    stored.heard_at = _heard_at(ledger.heard(now))
    return stored


def newest_days(ledger: Ledger, now: datetime) -> dict[str, date | None]:
    """By landed source, the newest day up to now of which something is published."""
    heard = ledger.heard(now)
    return {
        source: heard[source].date()
        if source in heard
        # Of a source that publishes no rows of its own, the landing tells.
        else None
        if source in SOURCES_HEARD
        else date.fromisoformat(landed)
        for source, landed in ledger.newest_days(str(now.date())).items()
    }


def _heard_at(heard: dict[str, datetime]) -> dict[str, datetime]:
    found = {}
    if "heartbeats" in heard:
        found["heartbeats"] = heard["heartbeats"]
    if days := [heard[source] for source in CSV_SOURCES if source in heard]:
        # From the end of the day that it is about.
        found["csv"] = max(days) + timedelta(days=1)
    return found
