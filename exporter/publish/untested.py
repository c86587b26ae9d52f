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

# Stands for a file that cannot be read: it stays as it is until all is tested.
EVERY = {date.max}


def untested_days(root: Root, known: Iterable[date] = ()) -> set[date]:
    """The days that are to be tested: all that are `known` where the file cannot
    be read, for it may have named any of them."""
    try:
        days = json.loads(files.read(_path(root)))["days"]
        return {date.fromisoformat(day) for day in days}
    except FileNotFoundError:
        return set()
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return set(known)


def note_untested(root: Root, days: Iterable[date]) -> None:
    """Note days that are about to be published. Raises OSError."""
    days = set(days)
    before = untested_days(root, EVERY)
    now = before.union(days)
    if now != before and before != EVERY:
        text = json.dumps({"days": sorted(map(str, now))}) + "\n"
        files.write_text(_path(root), root.staging, text, mode=0o600)


def forget_untested(root: Root) -> None:
    """All of them have been tested, and are well."""
    _path(root).unlink(missing_ok=True)


def _path(root: Root) -> Path:
    return root.state / "untested_days.json"
