"""One heartbeat: look at everything, write down what was found."""

from __future__ import annotations

import time
from pathlib import Path

from monitor.heartbeat import Heartbeat, utc, write_heartbeat
from monitor.plan import plan_checks, secrets_of_environment
from monitor.runner import Runner
from monitor.settings import Settings


def beat(
    root: Path, settings: Settings, runner: Runner, now_s: float
) -> tuple[Heartbeat, list[Path]]:
    """Make all checks and write the heartbeat of `now_s` (seconds, wall clock).

    Raises OSError when it cannot be written.
    """
    started = time.monotonic()
    results = runner.run(plan_checks(settings, root), secrets_of_environment())
    took_ms = round(1000 * (time.monotonic() - started))
    made = Heartbeat(utc(now_s), took_ms, settings.interval_s, results)
    return made, write_heartbeat(root, made, settings.format)
