"""News from the data: what the marts say that an operator wants to hear once.

Incidents that opened or ended, targets that are missed or soon will be, queries
that got slower, storage that will be full. What a maintenance window covers waits
until it is over.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from exporter.contracts.settings import Row as Setting
from exporter.contracts.settings import settings_rows
from exporter.notify.episodes import Episode, told_at_once, was_told
from exporter.reporting.budgets import burn_rate
from exporter.reporting.forecasts import next_crossing
from exporter.reporting.history import last_run
from exporter.reporting.thresholds import Thresholds
from exporter.reporting.words import percent, time_span
from exporter.runtime.errors import first_line
from ingest.root import Root
from ingest.text.times import utc_text

if TYPE_CHECKING:
    from exporter.answers.ask import Answers

INCIDENT, TARGET, BURN, QUERY, FORECAST = "incident", "slo", "burn", "query", "forecast"
KINDS = tuple(f"{kind}:" for kind in (INCIDENT, TARGET, BURN, QUERY, FORECAST))
# Up to when what has ended was looked at.
UNTIL = "news:until"
# Before the key of an incident that came and went, and whose check was held then.
WAITS = "waits:"
ALL = "*"
# The check whose incidents are gaps between heartbeats.
MONITOR = "monitor"
# Of what was before the first look, so much is news.
RECENT = timedelta(hours=24)
# A late heartbeat is no gap worth telling.
SHORTEST_GAP_S = 1800
# At these rates a month's budget lasts two days, or five.
FAST_1H, FAST_6H = 14.4, 6.0
FORECAST_DAYS = timedelta(days=30)
PERIODS = ("7d", "30d", "month")
# More queries that got slower are counted.
MOST_QUERIES = 5
Row = Mapping[str, Any]


@dataclass
class News:
    """What stands, by a key that stays for as long as it does, with its text;
    what to say when a told matter is over; and what came and went untold.

    `held` are the checks under maintenance, of which nothing is told for now;
    `until` is the moment of looking.
    """

    standing: dict[str, str] = field(default_factory=dict)
    endings: dict[str, str] = field(default_factory=dict)
    passed: dict[str, str] = field(default_factory=dict)
    held: frozenset[str] = frozenset()
    until: str = ""

    def is_held(self, key: str) -> bool:
        """Whether what a key stands for waits for the end of a window."""
        kind, _, rest = key.partition(":")
        check = rest.partition(" ")[0] if kind in (INCIDENT, TARGET, BURN) else ALL
        return bool(self.held & {ALL, check})


def find_news(
    root: Root,
    told: Mapping[str, str],
    now: datetime,
    asked: Callable[[], Answers],
) -> News:
    """What the published marts say. Raises OSError where they cannot be read.

    `told` holds the keys that were told and stand, and UNTIL; `asked` gives the
    answers of the marts.
    """
    # Here, because a run with nothing new loads no DuckDB.
    import duckdb

    try:
        return _news(root, asked(), told, now)
    except duckdb.Error as error:
        said = f"what the marts say is not told: {first_line(error)}"
        raise OSError(said) from error


def _news(root: Root, answers: Answers, told: Mapping[str, str], now: datetime) -> News:
    windows = settings_rows(root)["maintenance_windows"]
    until = utc_text(min(now, answers.as_of))
    news = News(held=checks_in_maintenance(windows, now), until=until)
    incidents = answers.rows("incidents")
    add_incidents(news, incidents, told, now, told_at_once(root), windows)
    add_targets(news, answers.rows("slo"))
    add_queries(news, answers.rows("regressions"))
    crossing = next_crossing(
        answers.rows("forecast"),
        last_run(root),
        Thresholds.from_environment(os.environ),
        now.date(),
    )
    if crossing and crossing.on - now.date() <= FORECAST_DAYS:
        news.standing[f"{FORECAST}:{crossing.metric}"] = f"Forecast: {crossing.said}."
    return news


def checks_in_maintenance(windows: Iterable[Setting], now: datetime) -> frozenset[str]:
    """The checks, maybe `*`, that a window covers now."""
    at = utc_text(now)
    return frozenset(
        window["check_key"] or ALL
        for window in windows
        if (window["started_at"] or at) <= at
        and (window["ended_at"] is None or at < window["ended_at"])
    )


def add_incidents(
    news: News,
    incidents: Iterable[Row],
    told: Mapping[str, str],
    now: datetime,
    episodes: Sequence[Episode] = (),
    windows: Sequence[Setting] = (),
) -> None:
    """Those that are open, those told as open that are over, and those that came
    and went since the last look, or waited then. Of `episodes` the monitor has told
    already; `windows` are those of maintenance."""
    rows = sorted(incidents, key=lambda row: (row["started_at"], row["check_key"]))
    since = told.get(UNTIL) or utc_text(now - RECENT)
    for row in rows:
        key = f"{INCIDENT}:{row['check_key']} {utc_text(row['started_at'])}"
        if (
            row["check_key"] == "overall"
            and key not in told
            and (_is_explained(row, rows) or _is_planned(row, windows))
        ):
            continue
        if key not in told and was_told(
            row["check_key"], row["started_at"], row["ended_at"], episodes
        ):
            continue
        name = _name(row)
        start = f"{row['started_at']:%Y-%m-%d %H:%M}"
        span = time_span(row["duration_s"])
        cause = f": {row['cause']}" if row["cause"] else ""
        if row["check_key"] == MONITOR:
            cause = ""
            if row["duration_s"] < SHORTEST_GAP_S:
                continue
        if row["is_open"]:
            news.standing[key] = f"{name} since {start} ({span}){cause}"
        elif key in told:
            news.endings[key] = f"Over: {name} for {span}, from {start}{cause}"
        elif utc_text(row["ended_at"]) > since or f"{WAITS}{key}" in told:
            news.passed[key] = f"Came and went: {name} for {span}, from {start}{cause}"


def _name(row: Row) -> str:
    if row["check_key"] == MONITOR:
        return "no heartbeat"
    return f"{row['check_key']} down"


def _is_explained(whole: Row, rows: Iterable[Row]) -> bool:
    """Whether a single check was down at the same time: that one is told."""
    return any(
        row["check_key"] not in ("overall", MONITOR)
        and row["started_at"] < (whole["ended_at"] or datetime.max)
        and whole["started_at"] < (row["ended_at"] or datetime.max)
        for row in rows
    )


def _is_planned(whole: Row, windows: Iterable[Setting]) -> bool:
    """Whether the check that brought it down was under maintenance meanwhile: of that
    nothing is told."""
    check = (whole["cause"] or "").partition(": ")[0]
    start = utc_text(whole["started_at"])
    end = utc_text(whole["ended_at"] or datetime.max)
    return any(
        window["check_key"] == check
        and (window["started_at"] or start) < end
        and (window["ended_at"] or end) > start
        for window in windows
    )


def add_targets(news: News, slo: Iterable[Row]) -> None:
    """Targets that are missed, and those whose budget goes fast."""
    missed: dict[str, list[Row]] = {}
    for row in slo:
        check = row["check_key"]
        if row["is_breached"] and row["period"] in PERIODS:
            missed.setdefault(check, []).append(row)
        in_1h, in_6h = burn_rate(row, "1h") or 0, burn_rate(row, "6h") or 0
        if (in_1h > FAST_1H or in_6h > FAST_6H) and row["period"] == "30d":
            rate = max(in_1h, in_6h)
            news.standing[f"{BURN}:{check}"] = (
                f"{check}: its budget of downtime is used {rate:.0f} times as fast as "
                f"its target of {percent(row['target'])} allows"
            )
    for check, rows in missed.items():
        shares = ", ".join(
            f"{row['period']} {percent(row['uptime_observed'])}" for row in rows
        )
        news.standing[f"{TARGET}:{check}"] = (
            f"{check} misses its target of {percent(rows[0]['target'])}: {shares}"
        )


def add_queries(news: News, regressions: Iterable[Row]) -> None:
    """Queries that got slower than they were."""
    for row in regressions:
        if row["verdict"] == "regressed":
            news.standing[f"{QUERY}:{row['kind']} {row['query_key']}"] = (
                f"{row['kind']} {row['query_key']} got slower: p95 "
                f"{row['p95_before_ms']:.1f} → {row['p95_after_ms']:.1f} ms "
                f"({row['ratio']:.1f} times)"
            )
