"""What the monitor has told at once, so that the news of a run do not repeat it.

`g/analytics/state/told_at_once.json`: of the last failures that were told, the
check, as the marts call it, and when it began.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime, timedelta

from ingest import files
from ingest.root import Root
from ingest.text.times import parse_time, utc_text

MOST_KEPT = 500
# An incident begins with a heartbeat, and that is as old as its checks took.
SLACK = timedelta(minutes=1)

Episode = tuple[str, datetime]


def told_at_once(root: Root) -> list[Episode]:
    """(check, beginning in UTC) of each, oldest first; none where nothing is known."""
    path = root.state / "told_at_once.json"
    try:
        files.refuse_what_is_no_file(path)
        held = json.loads(path.read_text("utf-8"))["told"]
        found = [(str(key), parse_time(str(since))) for key, since in held]
        return [(key, since) for key, since in found if since]
    except (OSError, ValueError, KeyError, TypeError):
        return []


def remember(root: Root, fresh: Iterable[Episode]) -> None:
    """Keep what was just told. Raises OSError."""
    known = dict.fromkeys([*told_at_once(root), *fresh])
    kept = [(key, utc_text(since)) for key, since in list(known)[-MOST_KEPT:]]
    text = json.dumps({"told": kept}, indent=1) + "\n"
    files.write_text(root.state / "told_at_once.json", root.state, text, mode=0o600)


def was_told(
    check: str, start: datetime, end: datetime | None, episodes: Iterable[Episode]
) -> bool:
    """Whether a failure that was told began within an incident."""
    return any(
        key == check and start - SLACK <= since and (end is None or since <= end)
        for key, since in episodes
    )
