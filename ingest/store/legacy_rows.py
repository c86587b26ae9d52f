"""Identity in landing of another program's rows, and what is counted of them."""

from __future__ import annotations

from ingest.store.contents import Content
from ingest.store.digests import digest_of_all
from ingest.store.part_files import Json

# Stands before what the content of a file is known by, among the keys of a part.
VERSION = "#"


def legacy_order(record: Json) -> tuple[str, str, int]:
    """The order of rows in the landing, by which each is known as well."""
    return record["source_file"], record["version"], record["line_number"]


def legacy_key(name: str) -> str:
    """What a heartbeat's name is found by: one line."""
    return " ".join(name.split("\n"))


def legacy_content(records: list[Json]) -> Content:
    """What the ledger says of a day's rows.

    They are found again by the names of their heartbeats, and by the contents of
    their files. What is not of `ops_atomic` is accounted for as rejects alone.
    """
    adopted = sum(record["dataset"] == "ops_atomic" for record in records)
    counts = {"ops_atomic": adopted}
    if others := len(records) - adopted:
        counts["rejected_records"] = others
    names = {legacy_key(r["filename"]) for r in records if r["filename"]}
    versions = {VERSION + record["version"] for record in records}
    return Content(
        fingerprint=digest_of_all(
            (*map(str, legacy_order(r)), r["raw"], r["problem"] or "", r["at"] or "")
            for r in records
        ),
        counts=counts,
        source_bytes=sum(len(r["raw"].encode()) for r in records),
        keys=tuple(sorted(names | versions)),
    )
