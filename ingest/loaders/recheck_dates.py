"""Rejects for their date are checked again once the clock, or the day, has moved on.

They are landed with all that they say: only the verdict has to be found anew.
"""

from __future__ import annotations

import hashlib
import tempfile
from dataclasses import replace
from typing import BinaryIO, cast

from ingest import files
from ingest.loaders.context import Context
from ingest.registry import CSV_SOURCES
from ingest.sources import query_log, telemetry
from ingest.sources.csv_records import landing_line
from ingest.sources.index_advisor import parse_report
from ingest.store.ahead import last_day, read_rows, rechecked_row
from ingest.store.contents import Content
from ingest.store.landing import HELD_WHOLE
from ingest.store.ledger import Part
from ingest.store.merge import content_of
from ingest.store.part_files import Json
from ingest.store.reconcile import content_of_records
from ingest.text.times import TOO_FAR_AHEAD, date_problem, parse_time


def recheck_dates(context: Context) -> None:
    """Write the parts anew in which a reject is one no more."""
    for part in context.ledger.parts_to_recheck(last_day(context.now)):
        if part.source in CSV_SOURCES:
            _recheck_rows(context, part)
        else:
            _recheck_records(context, part)


def _recheck_records(context: Context, part: Part) -> None:
    landing = context.landing
    before = landing.records(part.source, part.day, part.part)
    after = [_rechecked(context, part.source, record) for record in before]
    if after == before:
        return
    if part.source == "index_advisor":
        after.sort(key=lambda r: (r["at"] or "", content_of(r)))
    content = content_of_records(part.source, after, part.parser)
    content = replace(content, dropped=part.dropped)
    landing.write_records(part.source, part.day, part.part, after, content)
    context.landed(part.day, 0)


def _rechecked(context: Context, source: str, record: Json) -> Json:
    now, masks = context.now, context.masks
    at = parse_time(record["at"] or "")
    if record["problem"] != TOO_FAR_AHEAD or at is None or date_problem(at, now):
        return record
    if source == "index_advisor":
        # A reject's report is not taken apart. Its time is its own.
        read = parse_report(record["raw"], record["source_file"], at, now, masks)
        return record | read.record | {
            "recommendations": read.recommendations,
            "slow_queries": read.slow_queries,
        }  # fmt: skip
    if source == "query_log":
        return record | {"problem": query_log.problem_besides_time(record["query"])}
    if source == "telemetry":
        return record | {"problem": telemetry.problem_besides_time(record["metric"])}
    return record | {"problem": None}


def _recheck_rows(context: Context, part: Part) -> None:
    """Of a CSV part, which may be larger than memory."""
    landing = context.landing
    path = landing.path(part.source, part.day, part.part)
    made = hashlib.sha256()
    files.make_private_folder(landing.staging)
    with (
        files.blamed_on(landing.staging),
        tempfile.SpooledTemporaryFile(HELD_WHOLE, dir=str(landing.staging)) as text,
    ):
        with landing.open(path) as rows:
            for row in read_rows(rows):
                line = landing_line(rechecked_row(row, part.day, context.now))
                data = f"{line}\n".encode()
                made.update(data)
                text.write(data)
        fingerprint = made.hexdigest()[:32]
        if fingerprint == part.fingerprint:
            return
        content = Content(
            fingerprint, part.counts, part.source_bytes, dropped=part.dropped
        )
        landing.write_text(
            part.source, part.day, part.part, cast(BinaryIO, text), content,
            landing.origin(path),
        )  # fmt: skip
    context.landed(part.day, 0)
