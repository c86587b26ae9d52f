"""Published days that no run has tested well yet: `state/untested_days.json`.

A day is noted before its first file is moved into place, whoever publishes it,
and struck out by the run whose tests all passed. So what failed stays failed
until it was tested again, and a run that was killed leaves nothing untested.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import date
from pathlib import Path

from ingest import files
from ingest.root import Root


def untested_days(root: Root) -> set[date]:
    """The days that are to be tested; a file that is damaged names none."""
    try:
        days = json.loads(_path(root).read_text("utf-8"))["days"]
        return {date.fromisoformat(day) for day in days}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return set()


def note_untested(root: Root, days: Iterable[date]) -> None:
    """Note days that are about to be published. Raises OSError."""
    before = untested_days(root)
    now = before.union(days)
    if now != before:
        text = json.dumps({"days": sorted(map(str, now))}) + "\n"
        files.write_text(_path(root), root.staging, text, mode=0o600)


def forget_untested(root: Root) -> None:
    """All of them have been tested, and are well."""
    _path(root).unlink(missing_ok=True)


def _path(root: Root) -> Path:
    return root.state / "untested_days.json"
