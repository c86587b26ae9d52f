"""Telemetry roll-ups: one JSON object `{ts, metric, value}` a line."""

from datetime import datetime

from ingest.masking.masks import Masks
from ingest.sources.lines import (
    UNKNOWN_KIND,
    Parsed,
    json_line,
    landed_time,
    written_time,
)
from ingest.text.json_text import cell, key_names


def problem_besides_time(metric: str | None) -> str | None:
    """What else is wrong with a line whose time is well."""
    return f"no metric{UNKNOWN_KIND}" if metric is None else None


def parse_line(
    text: str,
    line_number: int,
    source_file: str,
    fallback: datetime,
    now: datetime,
    masks: Masks,
) -> Parsed:
    """The record of landing.telemetry that a line says.

    A line without `ts` has the time `fallback`; one whose `ts` is no believable
    time has a problem and lands under the day of `fallback`.
    """
    line = json_line(text, masks)
    at, problem = written_time(line.value.get("ts"), "ts", now)
    metric = cell(line.value.get("metric"))
    problem = line.problem or problem or problem_besides_time(metric)
    record = {
        "at": landed_time(at, problem, fallback),
        "metric": metric,
        "value": cell(line.value.get("value")),
        "source_file": source_file,
        "line_number": line_number,
        "problem": problem,
        "raw": line.raw,
    }
    return Parsed([record], at, tuple(key_names(line.value)))
