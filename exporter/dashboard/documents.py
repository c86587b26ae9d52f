"""The documents of the API: which answers each holds, and how they are written."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from exporter.answers.ask import Answers, Row

# Raised when a field goes or means something else; one more is no new version.
VERSION = 1
# Nothing that is shown is longer: a message may be a stack trace.
LONGEST = 500
# Of a list that grows for ever the first are told, and how many there are.
MOST = 500


@dataclass(frozen=True)
class Document:
    """A JSON file of the API: what it tells, and the answer behind each part."""

    title: str
    parts: Mapping[str, str]


DOCUMENTS = {
    "status": Document(
        "Whether anything is wrong now, since when, and why",
        {"status": "status", "maintenance": "maintenance"},
    ),
    "checks": Document("Each check as it is now", {"checks": "checks"}),
    "incidents": Document(
        "What broke, and for how long",
        {"incidents": "incidents", "periods": "incident_counts"},
    ),
    "uptime": Document("How long each check was in which state", {"uptime": "uptime"}),
    "slo": Document("Targets, budgets, and how fast they are used", {"slo": "slo"}),
    "heartbeats": Document(
        "How long heartbeats took, and what was odd",
        {"heartbeats": "heartbeats", "anomalies": "anomalies"},
    ),
    "queries": Document(
        "What queries cost",
        {
            "days": "query_days",
            "queries": "queries",
            "trends": "query_trends",
            "tables": "tables",
        },
    ),
    "regressions": Document(
        "Which queries got slower or faster", {"regressions": "regressions"}
    ),
    "advice": Document("Which indexes are or were advised", {"advice": "advice"}),
    "freshness": Document(
        "How old each source is, and how runs went",
        {"sources": "freshness", "runs": "runs", "run_periods": "run_reliability"},
    ),
    "quality": Document(
        "What was rejected, and which columns came or went",
        {"days": "quality", "rejects": "rejects", "drift": "drift"},
    ),
    "storage": Document(
        "What is stored", {"days": "storage", "datasets": "storage_datasets"}
    ),
    "forecast": Document("What grows, and how far", {"forecast": "forecast"}),
}


def documents(
    answers: Answers, machine: str, generated_at: datetime
) -> dict[str, dict[str, Any]]:
    """All documents by name, as JSON holds them."""
    head = {
        "version": VERSION,
        "generated_at": in_json(generated_at.replace(microsecond=0)),
        "as_of": in_json(answers.as_of),
        "machine": machine,
    }
    return {
        name: head | _parts(document, answers) for name, document in DOCUMENTS.items()
    }


def _parts(document: Document, answers: Answers) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for part, answer in document.parts.items():
        rows = answers.rows(answer)
        if answer == "status":
            found[part] = row_in_json(rows[0])
            continue
        if is_cut(answer):
            found[f"{part}_in_all"] = len(rows)
            rows = rows[:MOST]
        found[part] = [row_in_json(row) for row in rows]
    return found


def is_cut(answer: str) -> bool:
    """Whether an answer grows for ever, so that only its first rows are told."""
    return answer in ("incidents", "anomalies", "regressions", "advice")


def row_in_json(row: Row) -> dict[str, Any]:
    """A row's cells as JSON holds them."""
    return {name: in_json(value) for name, value in row.items()}


def in_json(value: Any) -> Any:
    """A cell: times as ISO texts in UTC, texts clipped, numbers to nine digits."""
    if isinstance(value, datetime):
        return f"{value.isoformat(timespec='milliseconds').removesuffix('.000')}Z"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, str):
        return clipped(value)
    if isinstance(value, float):
        if not math.isfinite(value):
            return None
        value = float(f"{value:.9g}")
        return int(value) if value.is_integer() and abs(value) < 2**53 else value
    return value


def clipped(text: str, longest: int = LONGEST) -> str:
    """A text of at most so many characters; one that was cut ends with `…`.

    Never between a letter and the marks that belong to it.
    """
    if len(text) <= longest:
        return text
    end = longest - 1
    while end > longest - 20 and _belongs_to_what_is_before(text[end]):
        end -= 1
    return f"{text[:end].rstrip()}…"


def _belongs_to_what_is_before(sign: str) -> bool:
    return unicodedata.combining(sign) > 0 or sign in "\u200d\ufe0e\ufe0f"
