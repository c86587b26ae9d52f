"""What happened in a period, as lines of text: the dashboard's answers in words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from exporter.reporting.markdown import one_line
from exporter.reporting.period import Period
from exporter.reporting.screen import kilobytes
from exporter.reporting.words import time_span

if TYPE_CHECKING:  # DuckDB is loaded by who asks
    from exporter.answers.ask import Answers, Row

Run = dict[str, Any]
# Of a kind, so many are told one by one; and so much of a text.
MOST_TOLD, LONGEST = 5, 120
# Below this a change is told as a number, from here on in percent.
FEW = 100


def of_period(answers: Answers, period: Period, runs: list[Run]) -> list[str]:
    """What is wrong now, and what happened. `runs` are the records of the
    runs of the period and of the one before.

    Raises duckdb.Error where a mart cannot be read.
    """
    return [
        *of_now(answers),
        "",
        *_uptime(answers.rows("uptime"), period),
        *_incidents(answers.rows("incidents"), period),
        *_queries(answers.rows("query_days"), period),
        *_records(answers.rows("quality"), period),
        *_storage(answers.rows("storage"), period),
        *_runs(runs, period),
    ]


def of_now(answers: Answers) -> list[str]:
    """What is wrong at present, or that nothing is."""
    checks = [row for row in answers.rows("checks") if row["check_key"] != "overall"]
    lines = [
        f"{row['check_key']} is {row['state']} since {row['since']:%Y-%m-%d %H:%M}"
        f"{_reason(row['message'])}"
        for row in checks
        if row["state"] in ("down", "degraded")
    ]
    up = sum(row["state"] == "up" for row in checks)
    lines.append(f"{up} of {len(checks)} checks are up")
    breached = [
        f"{row['check_key']} is below its target: up "
        f"{_percent(row['uptime_observed'])} of 30 days, not {_percent(row['target'])}"
        for row in answers.rows("slo")
        if row["is_breached"] and row["period"] == "30d"
    ]
    stale = [
        f"Nothing of {row['source']} since {row['last_record_at']:%Y-%m-%d %H:%M}"
        for row in answers.rows("freshness")
        if row["is_stale"] and row["last_record_at"]
    ]
    regressed = [
        f"{row['kind']} {one_line(row['query_key'])[:LONGEST]} got slower: p95 "
        f"{row['p95_before_ms']:,.0f} ms → {row['p95_after_ms']:,.0f} ms"
        for row in answers.rows("regressions")
        if row["verdict"] == "regressed"
    ]
    told = (_few(part, mark="") for part in (lines, breached, stale, regressed))
    return [f"Now ({answers.as_of:%Y-%m-%d %H:%M} UTC):"] + [
        f"- {line}" for part in told for line in part
    ]


def of_run(run: Run, before: Run | None) -> list[str]:
    """What a run did, by its record and that of the run before."""
    names = {
        "landed_records": "Records read",
        "exported_files": "Files written",
        "failed_files": "Files failed",
        "rejected_rows": "Rejects in them",
        "duration_s": "Seconds",
    }
    lines = [
        _count(name, run[column], before[column] if before else None)
        for column, name in names.items()
    ]
    problems = [*run["errors"], *run["warnings"]]
    return [*lines, *_few([f"- {one_line(text)}" for text in problems])]


def _count(name: str, value: float, before: float | None) -> str:
    return f"{name}: {value:,.0f}{_change(value, before)}"


def _uptime(rows: list[Row], period: Period) -> Iterator[str]:
    days = [row for row in rows if row["grain"] == "day"]
    for check in ["overall", *sorted({r["check_key"] for r in days} - {"overall"})]:
        its = [row for row in days if row["check_key"] == check]
        share, before = (_up_share(its, part) for part in (period, period.before))
        if share is None or (share == 1 and check != "overall" and before in (1, None)):
            continue
        points = "" if before is None else f" ({100 * (share - before):+.2f} points)"
        yield f"{check}: up {_percent(share)} of the observed time{points}"


def _up_share(rows: list[Row], period: Period) -> float | None:
    its = [row for row in rows if period.covers(row["started_at"])]
    up_s = sum(row["up_s"] + row["degraded_s"] for row in its)
    observed_s = up_s + sum(row["down_s"] for row in its)
    return up_s / observed_s if observed_s else None


def _incidents(rows: list[Row], period: Period) -> Iterator[str]:
    told = [row for row in rows if not row["is_short_gap"]]
    its = [row for row in told if period.covers(row["started_at"])]
    before = [row for row in told if period.before.covers(row["started_at"])]
    yield _count("Incidents", len(its), len(before))
    # The open ones and the longest first.
    its.sort(key=lambda r: (not r["is_open"], -r["duration_s"], r["check_key"]))
    yield from _few(
        [
            f"- {row['check_key']} at {row['started_at']:%Y-%m-%d %H:%M}, "
            f"{_lasted(row)}{_reason(row['cause'])}"
            for row in its
        ]
    )
    gaps = sum(r["is_short_gap"] and period.covers(r["started_at"]) for r in rows)
    if gaps:
        gap = "gap" if gaps == 1 else "gaps"
        yield f"And {gaps:,} {gap} of under a minute between heartbeats"


def _lasted(row: Row) -> str:
    if row["is_open"]:
        return "not over"
    return time_span(row["duration_s"])


def _queries(rows: list[Row], period: Period) -> Iterator[str]:
    its, before = _parts(rows, period)
    executions, executed = (_sum(part, "executions") for part in (its, before))
    if not (executions or executed):
        return
    yield _count("Queries", executions, executed if before else None)
    p95_ms, p95_before = (_mean_p95(part) for part in (its, before))
    if p95_ms is not None:
        yield f"Their p95: {p95_ms:,.1f} ms{_change(p95_ms, p95_before, few=0)}"


def _mean_p95(rows: list[Row]) -> float | None:
    """The days' p95, weighted by what ran on each."""
    ran = _sum(rows, "executions")
    return sum(r["p95_ms"] * r["executions"] for r in rows) / ran if ran else None


def _records(rows: list[Row], period: Period) -> Iterator[str]:
    its, before = _parts([row for row in rows if row["grain"] == "day"], period)
    for name, column in (("Records", "landed"), ("Rejects", "rejected")):
        yield _count(name, _sum(its, column), _sum(before, column) if before else None)


def _storage(rows: list[Row], period: Period) -> Iterator[str]:
    days = [row for row in rows if row["grain"] == "day"]
    at_end = [
        max((r for r in days if r["day"] < until), key=_day, default=None)
        for until in (period.until, period.since)
    ]
    if end := at_end[0]:
        size = end["stored_bytes"]
        grown = size - (at_end[1]["stored_bytes"] if at_end[1] else 0)
        yield f"Published Parquet: {kilobytes(size)} (+{kilobytes(grown)})"


def _runs(runs: list[Run], period: Period) -> Iterator[str]:
    its, before = (
        [run for run in runs if part.covers(_started(run))]
        for part in (period, period.before)
    )
    failed = [run for run in its if run["status"] != "ok"]
    yield _count("Runs", len(its), len(before) if before else None)
    yield from _few(
        [
            f"- {run['status']} at {run['started_at'][11:16]}{_reason(_first(run))}"
            for run in failed
        ]
    )


def _started(run: Run) -> datetime:
    return datetime.strptime(run["started_at"], "%Y-%m-%dT%H:%M:%SZ")


def _first(run: Run) -> str | None:
    return run["errors"][0] if run["errors"] else None


def _parts(rows: list[Row], period: Period) -> tuple[list[Row], list[Row]]:
    """The rows of the period's days, and of those before."""
    return (
        [row for row in rows if period.covers(row["day"])],
        [row for row in rows if period.before.covers(row["day"])],
    )


def _sum(rows: Iterable[Row], column: str) -> int:
    return sum(row[column] or 0 for row in rows)


def _change(value: float, before: float | None, few: float = FEW) -> str:
    """Against the period before; nothing where that is not known."""
    if before is None:
        return ""
    if value == before:
        return " (as before)"
    if max(value, before) < few or not before:
        return f" ({value - before:+,.0f})"
    return f" ({100 * (value / before - 1):+,.0f}%)"


def _percent(share: float) -> str:
    return f"{100 * share:.2f}%"


def _reason(text: str | None) -> str:
    said = one_line(text or "")
    return f": {said[:LONGEST]}{'…' if len(said) > LONGEST else ''}" if said else ""


def _few(lines: list[str], mark: str = "- ") -> list[str]:
    """The first of them; `mark` is what each begins with."""
    more = len(lines) - MOST_TOLD
    return [*lines[:MOST_TOLD], f"{mark}and {more:,} more"] if more > 0 else lines


def _day(row: Row) -> date:
    day: date = row["day"]
    return day
