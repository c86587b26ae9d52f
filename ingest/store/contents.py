"""What the ledger says of a part's records: fingerprint, counts, keys, span.

Pure functions over landed records, as those of merge.py.
"""

from __future__ import annotations

from dataclasses import dataclass

from ingest.registry import SOURCES
from ingest.store.digests import digest, digest_of_all
from ingest.store.merge import UNPROVEN, content_of, line_key, report_key
from ingest.store.part_files import Json


@dataclass(frozen=True)
class Content:
    """What the ledger says of a part besides how its file looks."""

    fingerprint: str
    counts: dict[str, int]
    source_bytes: int = 0
    parser: str = ""
    keys: tuple[str, ...] = ()
    span: tuple[str, str] = ("", "")
    dropped: int = 0


def heartbeats_content(records: list[Json], parser: str) -> Content:
    """What the ledger says of a day's heartbeats."""
    return Content(
        fingerprint=digest_of_all(
            (r["filename"], r["raw"], r["problem"] or "") for r in records
        ),
        counts={
            "ops_atomic": len(records),
            "heartbeat_checks": sum(
                len(group["checks"])
                for r in records
                if r["problem"] is None
                # What another parser landed is taken apart anew before it counts.
                for group in r.get("check_groups", ())
            ),
        },
        source_bytes=sum(len(r["raw"].encode()) for r in records),
        parser=parser,
        keys=tuple(
            sorted(
                {UNPROVEN * bool(r.get("unproven")) + r["filename"] for r in records}
            )
        ),
    )


def lines_content(records: list[Json], dataset: str) -> Content:
    """What the ledger says of a day's log or telemetry lines.

    An untimed line may be found under another day when it is read again: so
    those, and only those, are keys.
    """
    times = [r["at"] for r in records if r["has_timestamp"]]
    return Content(
        fingerprint=digest_of_all(
            (
                r["source_file"], str(r["line_number"]), r["raw"],
                r["problem"] or "", r["at"] or "",
            )
            for r in records
        ),
        counts={dataset: len(records)},
        source_bytes=sum(len(r["raw"].encode()) + 1 for r in records),
        keys=tuple(line_key(r) for r in records if not r["has_timestamp"]),
        span=(min(times, default=""), max(times, default="")),
    )  # fmt: skip


def reports_content(records: list[Json]) -> Content:
    """What the ledger says of a day's advisor reports."""
    advice = slow_queries = reports = 0
    for record in records:
        is_reject = record["problem"] is not None
        reports += 0 if is_reject else 1
        advice += 1 if is_reject else record["recommendations"]
        slow_queries += 0 if is_reject else record["slow_queries"]
    datasets = SOURCES["index_advisor"].counts_for
    return Content(
        fingerprint=digest(
            piece
            for r in records
            for piece in (
                r["at"] or "",
                content_of(r),
                r["problem"] or "",
                r["source_file"],
            )
        ),
        counts=dict(zip(datasets, (advice, slow_queries, reports), strict=True)),
        source_bytes=sum(len(content_of(r).encode()) for r in records),
        keys=tuple(report_key(r) for r in records if not r["has_timestamp"]),
    )


def summaries_content(records: list[Json]) -> Content:
    """What the ledger says of a day's summary lines."""
    return Content(
        fingerprint=digest(
            piece
            for r in records
            for piece in (
                r["source_file"],
                r["version"],
                str(r["line_number"]),
                str(r["place"]),
                r["at"] or "",
            )
        ),
        counts={"optimization_summary": len(records)},
        # Of the records of one line the first has it.
        source_bytes=sum(len(r["raw"].encode()) + 1 for r in records if r["raw"]),
        keys=tuple(sorted({r["version"] for r in records})),
    )


def columns_content(records: list[Json]) -> Content:
    """What the ledger says of the columns seen on a day."""
    return Content(
        fingerprint=digest(
            piece
            for r in records
            for piece in (r["source"], r["source_file"], r["name"])
        ),
        # Looked at for drift, each of them.
        counts={"schema_drift": len(records)},
    )
