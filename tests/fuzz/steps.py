"""One command, and what can be said of it without knowing what is owed."""

from __future__ import annotations

import gzip
import hashlib
import json
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any

from tests.fuzz.readings import CANARY
from tests.fuzz.snapshots import (
    STATE,
    Snapshot,
    differing,
    inputs,
    is_output,
    landed,
    published,
)

LOST = "nothing that was once readable is lost"
WHOLE = "a published file is complete, valid and checked"
STABLE = "a rerun changes nothing"
SECRET = "no secret is written"
INPUTS = "inputs are only ever read"
SAID = "a command says how it ended"

PRIVATE = (STATE, "g/analytics/rejected_records/")


class Broken(Exception):
    """A promise that was not kept, and where."""

    def __init__(self, promise: str, details: Iterable[str]) -> None:
        listed = list(details)
        more = f"\n  … and {len(listed) - 12} more" if len(listed) > 12 else ""
        super().__init__(f"{promise}:\n  " + "\n  ".join(listed[:12]) + more)
        self.promise = promise


@dataclass
class Step:
    """One command: what was asked, how it ended, what lay there around it.

    `disturbed` are inputs that somebody else changed meanwhile; `lands` and
    `publishes` say what the command does with all there is when it ends well;
    `is_damaged`, that published files were hurt before and it mends none.
    """

    said: str
    now: datetime
    before: Snapshot
    after: Snapshot
    code: int
    output: str = ""
    errors: str = ""
    expected: frozenset[int] = frozenset({0})
    disturbed: frozenset[str] = frozenset()
    elsewhere: dict[str, bytes] = field(default_factory=dict)
    speaks_json: bool = False
    writes: bool = True
    lands: bool = False
    publishes: bool = False
    historical: bool = False
    is_rerun: bool = False
    is_damaged: bool = False

    @property
    def is_done(self) -> bool:
        return self.code == 0

    @property
    def report(self) -> dict[str, Any]:
        """What it said as JSON."""
        try:
            value = json.loads(self.output)
        except ValueError:
            return {}
        return value if isinstance(value, dict) else {}


# Each promise for itself: what is wrong, if anything is


def ends_as_it_says(step: Step) -> Iterator[str]:
    said = step.output + step.errors
    if step.code not in step.expected or "Traceback (most recent" in said:
        yield f"{step.said}: exit code {step.code}: {said[-2_000:].strip()}"
    elif step.speaks_json and step.code in (0, 1):
        status = step.report.get("status", "ok")
        if status not in {0: ("ok",), 1: ("partial", "failed")}[step.code]:
            yield f"{step.said}: exit code {step.code} with status {status}"
        if not step.report:
            yield f"{step.said}: not one JSON object: {step.output[:300]!r}"


def changed_inputs(step: Step) -> Iterator[str]:
    for path in differing(inputs(step.before), inputs(step.after)):
        if path not in step.disturbed:
            yield f"{step.said}: {path} is not what it was"


def told_secrets(step: Step, texts: dict[str, bytes]) -> Iterator[str]:
    token = CANARY.encode()
    if CANARY in step.output or CANARY in step.errors:
        yield f"{step.said}: it was printed"
    for path, entry in step.after.items():
        if not is_output(path):
            continue
        text = texts.get(path) or _plain(entry.data or b"")
        if token in text or CANARY in path:
            at = text.find(token)
            yield f"{path}: …{text[max(at - 150, 0) : at + 40]!r}"
        if path.startswith(PRIVATE) and entry.is_open:
            yield f"{path}: others may read it ({entry.mode & 0o777:o})"
    for path, data in step.elsewhere.items():
        if token in data:
            yield f"{path}: {data[max(data.find(token) - 150, 0) :][:190]!r}"


def _plain(data: bytes) -> bytes:
    return (
        _unzipped(hashlib.sha256(data).digest(), data)
        if data[:2] == b"\x1f\x8b"
        else data
    )


@lru_cache(maxsize=4_000)
def _unzipped(_digest: bytes, data: bytes) -> bytes:
    """As much as can be had of a compressed file."""
    try:
        return gzip.decompress(data)
    except (OSError, EOFError, zlib.error):
        reader = zlib.decompressobj(wbits=31)
        try:
            return reader.decompress(data)
        except zlib.error:
            return b""


def written(step: Step, before: Snapshot, after: Snapshot) -> Iterator[str]:
    for path in differing(before, after):
        if path not in step.disturbed:
            yield f"{step.said}: {path} was written"


def rewritten(step: Step) -> Iterator[str]:
    for part in (published, landed):
        yield from written(step, part(step.before), part(step.after))


def leftovers(after: Snapshot) -> Iterator[str]:
    """What a run makes on its way and removes at its end."""
    for path in after:
        if is_output(path) and (
            path.startswith(f"{STATE}staging/") or path.endswith((".staged", ".tmp"))
        ):
            yield f"{path}: left behind"
