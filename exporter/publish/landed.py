"""What a file is made from: the records of each input, counted and marked."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import date
from typing import NamedTuple

from exporter.contracts.datasets import Dataset, Table
from exporter.publish.ledger import PublishedFile
from ingest.registry import CSV_SOURCES
from ingest.store.digests import digest, sum_of
from ingest.store.landed_days import landed_days
from ingest.store.ledger import Ledger
from ingest.store.part_files import file_of_part

# Of each input its records and a mark of its content.
Content = dict[str, tuple[int, str]]

MARK_CHARS = 16
# No records but the names of columns, which change with their file.
NAMES = "observed_columns"


class Landed(NamedTuple):
    """What an input has landed on a day, for each dataset that it feeds.

    An input is a file where each is a part of its own, else all of a source.
    `dropped` counts records that stood here once and now rightly stand
    elsewhere.
    """

    name: str
    counts: Mapping[str, int]
    mark: str
    dropped: int


def landed_inputs(ledger: Ledger) -> dict[str, dict[date, list[Landed]]]:
    """By source and day, its inputs in the order of their names."""
    sources: dict[str, dict[date, list[Landed]]] = {}
    for source, day, part, fingerprint, _, dropped, counts in ledger.landed():
        days = sources.setdefault(source, {})
        inputs = days.setdefault(date.fromisoformat(day), [])
        name = f"{source}/{file_of_part(part)}" if source in CSV_SOURCES else source
        landed = Landed(name, counts, fingerprint, dropped)
        if inputs and inputs[-1].name == name:
            inputs[-1] = _together(inputs[-1], landed)
        else:
            inputs.append(landed)
    return sources


def _together(one: Landed, other: Landed) -> Landed:
    """What two parts of one input have landed in all."""
    names = one.counts.keys() | other.counts.keys()
    return one._replace(
        counts={n: one.counts.get(n, 0) + other.counts.get(n, 0) for n in names},
        mark=sum_of([one.mark, other.mark]),
        dropped=one.dropped + other.dropped,
    )


def source_of(name: str) -> str:
    """The source of an input."""
    return name.partition("/")[0]


def file_of(name: str) -> str:
    """The file of an input; empty where it is all of a source."""
    return name.partition("/")[2]


def content_of(dataset: Dataset, inputs: Iterable[Landed]) -> Content:
    """What a dataset's file of a day is to be made from."""
    return {
        landed.name: (
            sum([landed.counts.get(fed, 0) for fed in dataset.accounts_for]),
            landed.mark[:MARK_CHARS],
        )
        for landed in inputs
    }


def fingerprint_of(content: Content) -> str:
    """The `source_fingerprint` of a file that is made from this."""
    return digest(f"{name}={mark}" for name, (_, mark) in sorted(content.items()))


def records_of(content: Content) -> int:
    """The `landed_records` of a file that is made from this."""
    return sum(records for records, _ in content.values())


def written(content: Content) -> str:
    """A content as it stands in a footer, under `landed`."""
    return json.dumps(content, sort_keys=True, separators=(",", ":"))


def footer_of(table: Table, day: date | None, content: Content) -> dict[str, str]:
    """What goes into the footer of a file that is made from this."""
    return {
        "dataset": table.name,
        **({"day": day.isoformat()} if day else {}),
        "schema_version": str(table.schema_version),
        "source_fingerprint": fingerprint_of(content),
        "model_fingerprint": table.model_fingerprint,
        "landed_records": str(records_of(content)),
        "landed": written(content),
    }


def why_stale(table: Table, exists: bool, file: PublishedFile | None) -> str:
    """Why a file is to be made again, whatever it is made from; else nothing.

    `file` is None where it is damaged.
    """
    if not exists:
        return "missing"
    if file is None:
        return "damaged"
    if file.metadata.get("schema_version") != str(table.schema_version):
        return "schema changed"
    if file.metadata.get("model_fingerprint") != table.model_fingerprint:
        return "code changed"
    return ""


def read_content(footer: Mapping[str, str]) -> Content:
    """What a published file was made from, as its footer says."""
    found = json.loads(footer.get("landed", "{}"))
    return {name: (int(records), str(mark)) for name, (records, mark) in found.items()}


def landed_per_day(
    ledger: Ledger, datasets: Mapping[str, Dataset]
) -> dict[tuple[str, date], int]:
    """Records landed per dataset and day."""
    found: dict[tuple[str, date], int] = {}
    for row in landed_days(ledger):
        if row.dataset in datasets:
            key = row.dataset, date.fromisoformat(row.day)
            found[key] = found.get(key, 0) + row.records
    return found
