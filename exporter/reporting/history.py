"""`g/analytics/state/runs`: one record per run, one file per UTC month."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from exporter import __version__
from exporter.publish.run_records import months, read_runs, runs_folder
from exporter.reporting.alerts import stale_sources
from exporter.reporting.results import FileResult, RunResult
from exporter.reporting.stored import Stored
from ingest import files
from ingest.root import Root

NUMBER = re.compile(r"\d[\d,.]*")
STARTED_BY = "OPS_ATOMIC_STARTED_BY"
MACHINE = "OPS_ATOMIC_MACHINE"


def append_run(root: Root, result: RunResult, stored: Stored) -> None:
    """Keep the record of a run, as one line of JSON."""
    folder = runs_folder(root)
    files.make_private_folder(folder)
    path = folder / f"runs_{result.started:%Y%m}.ndjson"
    files.refuse_what_is_no_file(path)
    line = json.dumps(run_record(result, stored), ensure_ascii=False) + "\n"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        if path.stat().st_size and not _ends_whole(path):
            stream.write(b"\n")  # a run was killed in the middle of its line
        stream.write(line.encode())


def run_record(result: RunResult, stored: Stored) -> dict[str, Any]:
    """All that is worth knowing of a run later; sizes in bytes, times in UTC.

    `datasets` holds what became of each dataset. Rows and sizes are of the
    files that this run wrote, except where they are called stored.
    """
    ended = result.started + timedelta(seconds=result.duration_s)
    return {
        "started_at": f"{result.started:%Y-%m-%dT%H:%M:%SZ}",
        "ended_at": f"{ended:%Y-%m-%dT%H:%M:%SZ}",
        "command": result.command,
        # The agents' wrapper says so.
        "started_by": "agent" if os.environ.get(STARTED_BY) == "agent" else "hand",
        "machine": os.environ.get(MACHINE) or None,
        "version": __version__,
        "status": result.status,
        "stopped": result.stopped or None,
        "is_whole": result.is_whole,
        "exit_code": result.exit_code,
        "duration_s": round(result.duration_s, 3),
        "landed_records": result.landed_records,
        **_totals(result.files),
        "stored_parquet_files": stored.parquet_files,
        "stored_parquet_bytes": stored.parquet_bytes,
        "stored_landing_bytes": stored.landing_bytes,
        "stale_sources": sorted(stale_sources(result.findings)),
        "standing": {key: text for key, text in result.findings.items() if text},
        "datasets": [
            {"dataset": name, **_totals(its_files)}
            for name, its_files in result.by_dataset().items()
        ],
        "warnings": result.warnings,
        "errors": result.errors,
    }


def _totals(its_files: list[FileResult]) -> dict[str, int]:
    exported = [file for file in its_files if file.status == "exported"]
    return {
        "exported_files": len(exported),
        "skipped_files": sum(file.status == "skipped" for file in its_files),
        "failed_files": sum(file.status == "failed" for file in its_files),
        "exported_rows": sum(file.rows for file in exported),
        "rejected_rows": sum(file.rejected_rows for file in exported),
        "source_bytes": sum(file.source_bytes for file in exported),
        "parquet_bytes": sum(file.parquet_bytes for file in exported),
    }


def runs_of(root: Root, day: date) -> list[dict[str, Any]]:
    """The records of the runs that began on a UTC day, oldest first."""
    path = runs_folder(root) / f"runs_{day:%Y%m}.ndjson"
    return [run for run in read_runs(path) if run["started_at"][:10] == str(day)]


def runs_since(root: Root, since: datetime) -> list[dict[str, Any]]:
    """The records of the runs that began at or after a UTC time, oldest first."""
    start = f"{since:%Y-%m-%dT%H:%M:%SZ}"
    return [
        run
        for path in months(root, since)
        for run in read_runs(path)
        if run["started_at"] >= start
    ]


def last_run(root: Root) -> dict[str, Any] | None:
    """The record of the last run of all."""
    for path in reversed(months(root)):
        if runs := list(read_runs(path)):
            return runs[-1]
    return None


def standing_after(run: dict[str, Any] | None) -> dict[str, str]:
    """What stood after a run, by the keys of alerts.py."""
    found = (run or {}).get("standing")
    if not isinstance(found, dict):
        return {}
    return {key: text for key, text in found.items() if isinstance(text, str)}


@dataclass(frozen=True)
class DayFinding:
    """A warning or error of a day: its last wording, and when it was said.

    `first_at` and `last_at` are the starts of the runs that said it, as
    HH:MM:SS; it `holds` unless a later run, which looked at all, says it no more.
    """

    text: str
    is_error: bool
    first_at: str
    last_at: str
    holds: bool


def findings_of(runs: list[dict[str, Any]]) -> list[DayFinding]:
    """Each finding of a day's runs once: what holds first, then as they came."""
    found: dict[tuple[bool, str], DayFinding] = {}
    # Records of older versions do not say whether a run was whole.
    whole = [n for n, run in enumerate(runs) if run.get("is_whole", True)]
    last_whole = max(whole, default=0)
    for number, run in enumerate(runs):
        at = run["started_at"][11:19]
        holds = number >= last_whole
        for is_error, texts in ((True, run["errors"]), (False, run["warnings"])):
            for text in texts:
                key = is_error, _matter(text)
                first = found[key].first_at if key in found else at
                found[key] = DayFinding(text, is_error, first, at, holds)
    return sorted(found.values(), key=lambda f: (not f.holds, not f.is_error))


def _matter(text: str) -> str:
    """What a warning of one run has in common with the same one of another:
    the file that it names, and its words, but neither counts nor times."""
    subject, colon, said = text.partition(": ")
    if colon and "/" in subject:
        return subject + colon + NUMBER.sub("0", said)
    return NUMBER.sub("0", text)


def _ends_whole(path: Path) -> bool:
    with path.open("rb") as stream:
        stream.seek(-1, os.SEEK_END)
        return stream.read(1) == b"\n"
