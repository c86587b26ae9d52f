"""The raw query log: one JSON object a line, most of them without a time."""

from datetime import datetime

from ingest.masking.masks import Masks
from ingest.sources.lines import UNKNOWN_KIND, Parsed, json_line, written_time
from ingest.text.json_text import cell, key_names
from ingest.text.times import utc_text


def problem_besides_time(query: str | None) -> str | None:
    """What else is wrong with a line whose time is well."""
    if query is None:
        return f"no query{UNKNOWN_KIND}"
    return None if query.strip() else "query is empty"


def parse_line(
    text: str,
    line_number: int,
    source_file: str,
    fallback: datetime,  # noqa: ARG001 - all are called alike
    now: datetime,
    masks: Masks,
) -> Parsed:
    """The record of landing.query_log that a line says.

    `at` is None where the line has no readable time; it then lands under the
    day of `fallback`.
    """
    line = json_line(text, masks)
    at, problem = written_time(line.value.get("ts"), "ts", now)
    query = cell(line.value.get("query"))
    if line.problem is not None:
        problem = line.problem
    elif problem is None and at is None and query is not None:
        problem = "no ts"
    elif problem is None:
        problem = problem_besides_time(query)
    timings = line.value.get("timings")
    if not isinstance(timings, dict):
        timings = {}
    record = {
        "at": utc_text(at) if at else None,
        "query": query,
        "duration_ms": cell(line.value.get("duration_ms")),
        "total_ms": cell(timings.get("total_ms")),
        "cache_hit": cell(timings.get("cache_hit")),
        "result_count": cell(line.value.get("resultCount")),
        "source_file": source_file,
        "line_number": line_number,
        "problem": problem,
        "raw": line.raw,
    }
    return Parsed([record], at, tuple(key_names(line.value)))
