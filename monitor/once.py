"""One heartbeat by hand, and what it says."""

from __future__ import annotations

import time
from pathlib import Path

from monitor.beat import beat
from monitor.checks.programs import end_all
from monitor.heartbeat import MARKS, WORDS
from monitor.runner import Runner
from monitor.settings import Settings


def write_once(root: Path, settings: Settings) -> list[str]:
    """Write one heartbeat. Returns lines for people. Raises OSError."""
    try:
        made, paths = beat(root, settings, Runner(), time.time())
    finally:
        end_all()
    lines = [f"{WORDS[made.status]} after {made.duration_ms} ms"]
    lines += [
        f"{MARKS[result.status]} {result.group} · {result.name}: {result.message}"
        for result in made.results
    ]
    return lines + [f"✓ Wrote {path.relative_to(root)}" for path in paths]
