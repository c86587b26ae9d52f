"""How every run ends: evaluated, recorded, and told to whoever wants to know."""

from __future__ import annotations

import contextlib
import os
import traceback
from collections.abc import Callable, Iterator
from functools import partial

from exporter.answers.once import AskedOnce
from exporter.catalogue.file import write_catalogue
from exporter.contracts.datasets import BrokenContract
from exporter.contracts.settings import read_settings
from exporter.dashboard.leave import leave_dashboard
from exporter.metrics.textfile import write_metrics
from exporter.notify.delivery import deliver
from exporter.notify.notices import announce, read_news
from exporter.notify.outbox import Notice
from exporter.notify.ping import ping
from exporter.notify.report import report, report_problem
from exporter.publish.ledger import Ledger, open_ledger
from exporter.reporting.alerts import carry_over, evaluate_alerts
from exporter.reporting.guide import write_guide
from exporter.reporting.history import append_run, last_run, standing_after
from exporter.reporting.logs import append_log, log_crash, log_warning, rotate_logs
from exporter.reporting.results import OK, RunResult
from exporter.reporting.screen import Screen
from exporter.reporting.stored import Stored, count_stored
from exporter.reporting.summary import write_summary
from exporter.reporting.thresholds import Thresholds
from exporter.runtime.errors import describe
from exporter.runtime.present import present
from exporter.runtime.redact import redact
from exporter.runtime.wake import awake_since
from ingest.root import Root


def begin(screen: Screen) -> None:
    """Say that a run begins."""
    with screen.progress("Telling that a run begins"):
        is_heard = ping("/start")
    if not is_heard:
        screen.warn("the dead-man's switch did not answer")


def conclude(
    root: Root, result: RunResult, screen: Screen, ledger: Ledger | None = None
) -> Notice | None:
    """Judge a run and leave all that tells of it: log, record, summary, guide,
    catalogue, figures and pages, a report and a notice if they are due.

    `ledger` is the run's, if it came to open it: what was not committed is
    forgotten. Called under the lock, however the run ended. Each is done
    whatever becomes of the others. Returns a notice that could not be kept for
    sending.
    """
    result.errors = [redact(text) for text in result.errors]
    stored = Stored()
    with _told(root, result, screen):
        ledger = ledger or open_ledger(root, dry_run=True)
        ledger.roll_back()  # or nobody else could look into it
        stored = count_stored(ledger)
        _evaluate(root, result, stored)
    result.warnings = [redact(text) for text in result.warnings]
    with AskedOnce(root) as asked:
        return _leave(root, result, stored, screen, ledger, asked)


def _leave(
    root: Root,
    result: RunResult,
    stored: Stored,
    screen: Screen,
    ledger: Ledger | None,
    asked: AskedOnce,
) -> Notice | None:
    has_published = bool(result.with_status("exported"))
    leavings: tuple[Callable[[], None], ...] = (
        partial(rotate_logs, root),
        partial(append_log, root, result),
        partial(append_run, root, result, stored),
        partial(write_summary, root, result, stored),
        partial(write_guide, root),
        partial(write_catalogue, root, ledger, has_published),
        partial(write_metrics, root, result, stored, asked),
        partial(leave_dashboard, has_published, asked),
    )
    for leave in leavings:
        with _told(root, result, screen):
            leave()
    # First, so that what is wrong gives its name to what goes out together.
    with _told(root, result, screen):
        report(root, result, asked)
    news = None
    with _told(root, result, screen):
        news = read_news(root, result, asked)
    with _told(root, result, screen):
        return announce(root, result, news)
    return None


@contextlib.contextmanager
def _told(root: Root, result: RunResult, screen: Screen) -> Iterator[None]:
    """What goes wrong here, a defect of ours included, is an error of the run."""
    try:
        yield
    except (OSError, BrokenContract) as error:
        said = describe(error)
    except Exception as error:  # noqa: BLE001 - the others are still to be left
        log_crash(root, redact(traceback.format_exc()))
        said = f"crashed: {type(error).__name__}: {error}"
    else:
        return
    if redact(said) not in result.errors:
        result.errors.append(redact(said))
        screen.fail(result.errors[-1])


def tell(root: Root, result: RunResult, screen: Screen, unkept: Notice | None) -> None:
    """Send what there is to say. Fails no run, and is over in seconds."""
    with screen.progress("Telling how it went"):
        try:
            failures = deliver(root, unkept)
        except Exception as error:  # noqa: BLE001 - its words may hold a URL
            failures = [f"notices: {type(error).__name__}"]
        is_heard = ping("" if result.status == OK else "/fail")
    if not is_heard:
        screen.warn("the dead-man's switch did not answer")
    for failure in failures:
        text = f"{failure}: the notice waits for the next run"
        screen.warn(text)
        log_warning(root, text)


def _evaluate(root: Root, result: RunResult, stored: Stored) -> None:
    if root.is_example or result.is_limited:
        stored.heard_at.clear()  # the example is meant to be old
    problems = map(str, read_settings(root).problems)
    result.findings["own_settings"] = "; ".join(problems) or None
    result.findings["report_setting"] = report_problem()
    limits = Thresholds.from_environment(os.environ)
    result.findings |= evaluate_alerts(result, stored, limits, present(), awake_since())
    standing = standing_after(last_run(root))
    carry_over(result.findings, standing, result.is_limited)
    for text in result.findings.values():
        if text:
            result.warnings.append(text)
