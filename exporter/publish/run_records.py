"""What runs left about themselves: `g/analytics/state/runs`, a file per UTC month."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

from exporter.publish.landed import Landed
from ingest import files
from ingest.root import Root
from ingest.store.digests import digest

# The source of run_log, and the dataset that its records are counted for.
RUNS, RUN_LOG = "runs", "run_log"
LONGEST_S = 1e9
STARTED = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z", re.ASCII)


def runs_folder(root: Root) -> Path:
    return root.state / "runs"


def months(root: Root, since: date = date.min) -> list[Path]:
    """The files of the months from that of a day on, oldest first."""
    first = f"runs_{since:%Y%m}.ndjson"
    found = sorted(runs_folder(root).glob("runs_??????.ndjson"))
    return [path for path in found if path.name >= first]


def runs_by_day(root: Root, since: date = date.min) -> dict[date, list[dict[str, Any]]]:
    """The records of the runs that began on a UTC day or later, as they came."""
    found: dict[date, list[dict[str, Any]]] = {}
    for path in months(root, since):
        for run in read_runs(path):
            day = date.fromisoformat(run["started_at"][:10])
            if day >= since:
                found.setdefault(day, []).append(run)
    return dict(sorted(found.items()))


def landed_runs(root: Root, since: date = date.min) -> dict[date, list[Landed]]:
    """By day, what run_log is to be made from."""
    found = {}
    for day, runs in runs_by_day(root, since).items():
        mark = digest(json.dumps(run, sort_keys=True) for run in runs)
        found[day] = [Landed(RUNS, {RUN_LOG: len(runs)}, mark, 0)]
    return found


def read_runs(path: Path) -> Iterator[dict[str, Any]]:
    """The records of a file, as far as it can be read.

    A line that a kill has cut is passed over, and so is one that is no record.
    """
    try:
        files.refuse_what_is_no_file(path)
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return  # it is said where a record is to be added
    for line in text.split("\n"):
        try:
            run = json.loads(line)
            json.dumps(run, ensure_ascii=False).encode()
        except (ValueError, RecursionError):
            continue
        if _is_record(run):
            yield run


# What readers of a record rely on; that of a dataset has the same numbers.
COUNTS = ("exported_files", "skipped_files", "failed_files")


def _is_record(run: Any) -> bool:
    return (
        _has(run, COUNTS, int)
        and _has(run, ("started_at", "status"), str)
        and _has(run, ("duration_s",), (int, float))
        and _has(run, ("datasets", "warnings", "errors"), list)
        and _is_time(run["started_at"])
        and run["status"] in ("ok", "partial", "failed")
        and abs(run["duration_s"]) < LONGEST_S
        and all(isinstance(text, str) for text in run["warnings"] + run["errors"])
        and all(
            _has(done, ("dataset",), str) and _has(done, COUNTS, int)
            for done in run["datasets"]
        )
    )


def _is_time(text: str) -> bool:
    try:
        return bool(STARTED.fullmatch(text) and datetime.fromisoformat(text))
    except ValueError:
        return False


def _has(value: Any, names: tuple[str, ...], kind: Any) -> bool:
    return isinstance(value, dict) and all(
        isinstance(value.get(name), kind) for name in names
    )
