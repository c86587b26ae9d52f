"""The index advisor's report: one JSON file, overwritten every night."""

from datetime import datetime
from types import NoneType
from typing import Any, NamedTuple

from ingest.masking.masks import Masks
from ingest.sources.lines import NOT_AN_OBJECT, written_time
from ingest.text.json_text import BadJson, Json, dump, key_names
from ingest.text.times import believable, utc_text

MAX_REPORT_CHARACTERS = 4 << 20
"""DuckDB reads JSON objects of up to 16 MB; escaping may double a text."""


class Report(NamedTuple):
    """One report: its record in landing.index_advisor, and what is in it.

    The counts are 0 and the keys may be empty when `record["problem"]` is set.
    """

    record: dict[str, Any]
    recommendations: int = 0
    slow_queries: int = 0
    has_timestamp: bool = False
    keys: tuple[str, ...] = ()


def parse_report(
    text: str, source_file: str, modified: datetime, now: datetime, masks: Masks
) -> Report:
    """Read a report. One without a timestamp has the time `modified` (UTC).

    `at` is always set: with a problem in the timestamp it is `modified` too.
    """
    at: datetime | None = None
    value: Json = {}
    try:
        _, value = masks.json(text)
        problem = None if isinstance(value, dict) else NOT_AN_OBJECT
    except BadJson as error:
        problem = str(error)
    keys: tuple[str, ...] = ()
    if problem is None:
        keys = tuple(key_names(value))
        at, problem = written_time(value.get("timestamp"), "timestamp", now)
        for name in ("recommendations", "slow_queries"):
            if problem is None and not isinstance(value.get(name), (list, NoneType)):
                problem = f"{name} is not a list"
        if problem is None and len(text) > MAX_REPORT_CHARACTERS:
            problem = "report is too long"
    record = {
        "at": utc_text(at or believable(modified, now)),
        "report": None if problem else dump(value),
        "source_file": source_file,
        "problem": problem,
        "raw": masks.raw(text, MAX_REPORT_CHARACTERS) if problem else None,
    }
    if problem is not None:
        return Report(record, has_timestamp=at is not None, keys=keys)
    return Report(
        record,
        len(value.get("recommendations") or []),
        len(value.get("slow_queries") or []),
        at is not None,
        keys,
    )
