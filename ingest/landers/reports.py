"""Landing index advisor reports: one file, overwritten every night."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from ingest.documents import Document
from ingest.identity import content_of, merge_reports, reports_content
from ingest.landers.context import Context
from ingest.landing import Json, digest
from ingest.sources.index_advisor import MAX_REPORT_CHARACTERS, parse_report
from ingest.text import decode

PART = "index_advisor.ndjson.gz"
MAX_BYTES = 16 << 20


class ReportLander:
    """Collects reports and merges them into their days."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.pending: dict[str, list[Json]] = {}
        # What was read, to tell what was half of it.
        self.whole: list[str] = []

    def add(self, document: Document) -> None:
        """Read one report. Raises OSError."""
        context = self.context
        with document.open() as stream:
            data = stream.read(MAX_BYTES + 1)
        if not data.strip():
            context.report.warnings.append(
                f"{document.shown}: is empty; the next run looks at it again"
            )
            return
        name = context.masks.text(document.name)
        text = decode(data)
        parsed = parse_report(text, name, document.modified, context.now, context.masks)
        record: Json = dict(parsed.record)
        record |= {
            "modified": document.epoch,
            "has_timestamp": parsed.has_timestamp,
            "recommendations": parsed.recommendations,
            "slow_queries": parsed.slow_queries,
        }
        if not document.is_proven:
            record["unproven"] = True
        at = record["at"]
        day = at[:10] if at else str(document.modified.date())
        self.pending.setdefault(str(date.fromisoformat(day)), []).append(record)
        if record["problem"] is None:
            self.whole.append(context.masks.raw(text, MAX_REPORT_CHARACTERS))
            # Half of it may lie under the day on which it was being written.
            for back in (0, 1):
                written = document.modified - timedelta(days=back)
                self.pending.setdefault(str(written.date()), [])
        context.saw_columns("index_advisor", name, [day], parsed.keys)
        context.say(f"1 report from {name}")
        context.report.inputs += 1

    def flush(self) -> None:
        """Merge what was read into the landing, day by day."""
        landing = self.context.landing
        for day, fresh in sorted(self.pending.items()):
            before = landing.records("index_advisor", day, PART)
            kept = [record for record in before if not self._is_half(record)]
            after, replaced = merge_reports([*kept, *fresh])
            for old in replaced:
                landing.keep_superseded_records(
                    "index_advisor", day, PART, digest([content_of(old)]), [old]
                )
            if after != before:
                known = landing.ledger.part("index_advisor", day, PART)
                gone = len(before) - len(kept) + (known.dropped if known else 0)
                content = replace(reports_content(after), dropped=gone)
                landing.write_records("index_advisor", day, PART, after, content)
                self.context.landed(day, max(len(after) - len(before), 0))
        self.pending.clear()
        self.whole.clear()

    def _is_half(self, record: Json) -> bool:
        """Whether a reject is the beginning of a report that is whole now."""
        begun = (record["raw"] or "").rstrip("\ufffd \t\r\n")
        return record["problem"] is not None and any(
            len(text) > len(begun) > 0 and text.startswith(begun) for text in self.whole
        )
