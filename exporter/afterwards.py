"""How every run ends: judged, recorded, and told to whoever wants to know."""

from __future__ import annotations

import contextlib
import os
import traceback
from collections.abc import Callable, Iterator
from functools import partial

from exporter.discretion import discreet
from exporter.errors import describe
from exporter.guide import write_guide
from exporter.history import append_run
from exporter.judgement import judge
from exporter.logs import append_log, log_crash, log_warning, rotate_logs
from exporter.machine import awake_since
from exporter.notices import announce
from exporter.notify import deliver
from exporter.outbox import Notice
from exporter.ping import ping
from exporter.present import present
from exporter.results import OK, RunResult
from exporter.screen import Screen
from exporter.state import Stored, take_state
from exporter.summary import write_summary
from exporter.thresholds import Thresholds
from ingest.root import Root


def begin(screen: Screen) -> None:
    """Say that a run begins."""
    if not ping("/start"):
        screen.warn("the dead-man's switch did not answer")


def conclude(root: Root, result: RunResult, screen: Screen) -> Notice | None:
    """Judge a run and leave its log lines, record and summary.

    Called under the lock, however the run ended. Each is done whatever becomes
    of the others. Returns a notice that could not be kept for sending.
    """
    result.errors = [discreet(text) for text in result.errors]
    stored = Stored()
    with _told(root, result, screen):
        stored = take_state(root)
        _judge(root, result, stored, screen)
    result.warnings = [discreet(text) for text in result.warnings]
    leavings: tuple[Callable[[], None], ...] = (
        partial(rotate_logs, root),
        partial(append_log, root, result),
        partial(append_run, root, result, stored),
        partial(write_summary, root, result, stored),
        partial(write_guide, root),
    )
    for leave in leavings:
        with _told(root, result, screen):
            leave()
    with _told(root, result, screen):
        return announce(root, result)
    return None


@contextlib.contextmanager
def _told(root: Root, result: RunResult, screen: Screen) -> Iterator[None]:
    """What goes wrong here, a defect of ours included, is an error of the run."""
    try:
        yield
    except OSError as error:
        said = describe(error)
    except Exception as error:  # noqa: BLE001 - the others are still to be left
        log_crash(root, discreet(traceback.format_exc()))
        said = f"crashed: {type(error).__name__}: {error}"
    else:
        return
    result.errors.append(discreet(said))
    screen.fail(result.errors[-1])


def tell(root: Root, result: RunResult, screen: Screen, unkept: Notice | None) -> None:
    """Send what there is to say. Fails no run, and is over in seconds."""
    try:
        failures = deliver(root, unkept)
    except Exception as error:  # noqa: BLE001 - its words may hold a URL
        failures = [f"notices: {type(error).__name__}"]
    if not ping("" if result.status == OK else "/fail"):
        screen.warn("the dead-man's switch did not answer")
    for failure in failures:
        text = f"{failure}: the notice waits for the next run"
        screen.warn(text)
        log_warning(root, text)


def _judge(root: Root, result: RunResult, stored: Stored, screen: Screen) -> None:
    if root.is_example:
        stored.heard_at.clear()  # it is meant to be old
    limits = Thresholds.from_environment(os.environ)
    result.findings = judge(result, stored, limits, present(), awake_since())
    for text in result.findings.values():
        if text:
            result.warnings.append(text)
            screen.warn(text)
