"""What is landed per source, day and dataset, as counts and marks say it."""

from __future__ import annotations

import zlib
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple

from ingest import files
from ingest.store.digests import digest, sum_of
from ingest.store.landing import Landing
from ingest.store.ledger import Ledger
from ingest.store.part_files import MANIFEST, unnumbered


def write_manifest(landing: Landing) -> None:
    """What was counted: source, day, dataset, records, fingerprint.

    dbt reads it as `landing.landed_days`. One row per source, day and
    dataset fed; a source that feeds none has one row without a dataset.
    """
    if landing.dry_run:
        return
    text = manifest(landing.ledger)
    path = landing.root.landing / MANIFEST
    try:
        is_current = files.checksum(path) == zlib.crc32(text.encode())
    except FileNotFoundError:
        is_current = False
    if not is_current:
        files.make_private_folder(landing.root.landing)
        files.write_text(path, landing.staging, text, mode=0o600)


def manifest(ledger: Ledger) -> str:
    """The text of `landed_days.csv`."""
    lines = ["source,day,dataset,landed_records,source_fingerprint"]
    lines += [
        ",".join((row.source, row.day, row.dataset, str(row.records), row.mark))
        for row in landed_days(ledger)
    ]
    return "\n".join(lines) + "\n"


class LandedDay(NamedTuple):
    """What one source landed for one dataset on one day.

    `mark` is the content's fingerprint; `dropped` counts records that stood
    here once and now rightly stand elsewhere.
    """

    source: str
    day: str
    dataset: str
    records: int
    mark: str
    source_bytes: int
    dropped: int


def landed_days(ledger: Ledger) -> list[LandedDay]:
    """Per source, day and dataset: records landed and their fingerprint."""
    return ledger.remember("landed days", lambda: _landed_days(ledger))


def _landed_days(ledger: Ledger) -> list[LandedDay]:
    found = []
    for (source, day), parts in groupby(ledger.landed(), itemgetter(0, 1)):
        marks: dict[str, list[str]] = {}
        total: dict[str, int] = {}
        source_bytes = dropped = 0
        for _, _, part, fingerprint, size, gone, counts in parts:
            source_bytes += size
            dropped += gone
            # Files are told apart by name; what is numbered is one.
            marks.setdefault(unnumbered(part), []).append(fingerprint)
            for dataset, count in counts.items():
                total[dataset] = total.get(dataset, 0) + count
        mark = digest(f"{name}={sum_of(its)}" for name, its in sorted(marks.items()))
        found += [
            LandedDay(source, day, dataset, records, mark, source_bytes, dropped)
            for dataset, records in (total or {"": 0}).items()
        ]
    return found
