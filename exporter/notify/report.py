"""Reports: what happened in a day or week, or in a run, sent as notices are.

`OPS_ATOMIC_REPORT` is `daily`, `weekly`, `run` or `off`. The first good run of a
UTC day, or of an ISO week, tells of the one before; `run` tells of each run that
came to its end. `g/analytics/state/reported` holds what was told last.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from exporter.notify import delivery, outbox
from exporter.notify.outbox import Notice
from exporter.reporting.history import runs_since
from exporter.reporting.period import Period, day_before, week_before
from exporter.reporting.report_text import of_now, of_period, of_run
from exporter.reporting.results import OK, RunResult
from exporter.runtime.errors import first_line
from exporter.runtime.present import present
from exporter.runtime.redact import redact
from ingest import files
from ingest.inputs import utc_now
from ingest.root import Root

if TYPE_CHECKING:
    from exporter.answers.ask import Answers

VARIABLE = "OPS_ATOMIC_REPORT"
PERIODS: dict[str, Callable[[datetime], Period]] = {
    "daily": day_before,
    "weekly": week_before,
}
EVERY_RUN, OFF = "run", "off"
DASHBOARD = "g/reports/dashboard/index.html"


def report_problem(environ: Mapping[str, str] = os.environ) -> str | None:
    """Why what is set cannot be used."""
    chosen = _chosen(environ)
    if chosen in (*PERIODS, EVERY_RUN, OFF):
        return None
    return (
        f"{VARIABLE} is {redact(chosen)!r}, not daily, weekly, run or off: "
        "nothing is reported"
    )


def report(root: Root, result: RunResult, asked: Callable[[], Answers]) -> None:
    """Put the report that is due, if one is, into the outbox.

    Called under the lock, once the run's record is kept; `asked` gives the answers
    of the marts. Raises OSError where it cannot be made or kept: the next run
    tries again.
    """
    chosen = _chosen(os.environ)
    if not result.is_whole or not delivery.is_configured():
        return
    if chosen == EVERY_RUN:
        _put(
            root,
            f"the run at {result.started:%H:%M}",
            _told_of_run(root, result, asked),
        )
    elif chosen in PERIODS and result.status == OK:
        period = PERIODS[chosen](present())
        mark = f"{chosen} {period.name}\n"
        place = root.state / "reported"
        if place.exists() and files.read(place).decode() == mark:
            return
        _put(root, period.name, _told_of_period(root, period, asked))
        files.write_exactly(place, mark.encode(), 0o600)


def _chosen(environ: Mapping[str, str]) -> str:
    return environ.get(VARIABLE, "").strip().lower() or OFF


def _told_of_period(
    root: Root, period: Period, asked: Callable[[], Answers]
) -> list[str]:
    runs = runs_since(root, period.before.start)
    return _told(asked, lambda answers: of_period(answers, period, runs))


def _told_of_run(
    root: Root, result: RunResult, asked: Callable[[], Answers]
) -> list[str]:
    runs = runs_since(root, result.started - timedelta(days=2))
    lines = of_run(runs[-1], runs[-2] if runs[1:] else None) if runs else []
    return [*lines, "", *_told(asked, of_now)]


def _told(
    asked: Callable[[], Answers], tell: Callable[[Answers], list[str]]
) -> list[str]:
    # Here, because only a run that reports may load DuckDB for nothing new.
    import duckdb

    try:
        return tell(asked())
    except duckdb.Error as error:
        raise OSError(f"the report is not made: {first_line(error)}") from error


def _put(root: Root, what: str, lines: list[str]) -> None:
    page = root.path / DASHBOARD
    if page.is_file():
        lines = [*lines, "", f"Dashboard: {page}"]
    notice = Notice(
        at=f"{utc_now():%Y-%m-%dT%H:%M:%SZ}",
        level="success",
        title=outbox.title(root, f"report of {what}"),
        text=redact("\n".join(lines)),
        attachment=DASHBOARD,
    )
    outbox.put(root, notice)
