"""Reports that are known by their file's name: which content of one counts.

Pure functions over landed records, like those of merge.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from ingest.store.contents import Content
from ingest.store.digests import digest_of_all
from ingest.store.merge import (
    one_reading,
    report_age,
    text_of,
    without_beginnings,
)

Json = dict[str, Any]


def merge_named(
    records: Iterable[Json], is_forced: Callable[[Json], bool]
) -> tuple[list[Json], list[Json]]:
    """(records that count, other contents of their names).

    Of each name the content with most checks counts, so that none shrinks, and
    of as many the newest; where `is_forced` the newest, and nothing that is older
    ever again. The beginning of another is nothing beside it, nor is what is
    unproven beside what is not.
    """
    names: dict[str, dict[str, Json]] = {}
    for record in records:
        same = names.setdefault(record["filename"], {})
        before = same.get(text_of(record))
        same[text_of(record)] = one_reading(before, record) if before else record
    counting, others = [], []
    for same in names.values():
        proven = {text: r for text, r in same.items() if not r.get("unproven")}
        whole = without_beginnings(proven or same)
        best = _which(whole, is_forced)
        counting.append(best)
        others += [r for r in whole if text_of(r) != text_of(best)]
    return sorted(counting, key=named_order), others


def _which(whole: Sequence[Json], is_forced: Callable[[Json], bool]) -> Json:
    since = max(record.get("chosen_since", 0) for record in whole)
    recent = [record for record in whole if report_age(record) >= since]
    best = max(recent, key=_claim)
    newest = max(recent, key=_age)
    if is_forced(best) and report_age(newest) > report_age(best):
        best, since = newest, report_age(newest)
    return {**best, "chosen_since": since} if since else best


def _claim(record: Json) -> tuple[bool, int, int, int, str]:
    is_usable = record["problem"] is None
    return is_usable, len(record["checks"]), *_age(record)


def _age(record: Json) -> tuple[int, int, str]:
    """Within a second the longest, then any, but the same in any order."""
    return report_age(record), len(record["raw"]), record["raw"]


def named_order(record: Json) -> tuple[str, str]:
    """The order of such reports in the landing."""
    return record["filename"], record["raw"]


def named_content(records: list[Json], dataset: str, parser: str = "") -> Content:
    """What the ledger says of a day's reports: a row a check, or a reject."""
    return Content(
        fingerprint=digest_of_all(
            (r["filename"], r["raw"], r["problem"] or "") for r in records
        ),
        counts={
            dataset: sum(
                1 if r["problem"] is not None else len(r["checks"]) for r in records
            )
        },
        source_bytes=sum(len(r["raw"].encode()) for r in records),
        parser=parser,
        keys=tuple(sorted({r["filename"] for r in records})),
    )
