"""Writes what to index: the advisor's report and the optimizer's summary."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb

from exporter.catalogue.views import create_views
from exporter.optimize.candidates import NotAdvised, read_query
from exporter.optimize.measure import (
    RUNS,
    Bench,
    Measured,
    OutOfTime,
    TooLarge,
    copy_of,
)
from exporter.runtime.present import present
from exporter.runtime.state_folder import make_state_folder
from ingest import files
from ingest.inputs import utc_now
from ingest.root import Root
from ingest.text.numbers import count

SLOW = Path(__file__).with_name("slow.sql")
REPORT, SUMMARY = "index_advisor_report.json", "optimization_summary.txt"
# Less than this is within what times vary by anyway.
WORTH_IT, WORTH_MS = 1.2, 0.5
QUERIES = "slow queries"
IMPACTS = ((5.0, "high"), (2.0, "medium"), (0.0, "low"))

Slow = dict[str, Any]


@dataclass(frozen=True)
class Limits:
    """What is slow, and how much copying and measuring may take."""

    slow_ms: float
    min_samples: int
    days: int
    max_mb: int
    max_seconds: float


@dataclass
class Advice:
    """What came of it. `skipped` says why nothing was measured, and is empty."""

    slow: list[Slow] = field(default_factory=list)
    found: list[tuple[Slow, Measured]] = field(default_factory=list)
    passed_over: Counter[str] = field(default_factory=Counter)
    skipped: str = ""


def optimize(
    root: Root, database: Path, limits: Limits, check: Callable[[], None]
) -> Advice:
    """Measure indexes for the slow queries of a root, and write both files.

    Where the database is beyond a limit, or the time is used up before all is
    measured, only the summary is written: the advice of before stands, because
    what a report leaves out counts as done. `check` raises what stops it. Raises
    OSError.
    """
    started = utc_now()
    advice = Advice()
    try:
        most_bytes, seconds = limits.max_mb << 20, limits.max_seconds
        with copy_of(database, most_bytes, seconds, check) as bench:
            advice.slow = slow_queries(root, limits)
            try:
                _measure(advice, bench)
            except OutOfTime:
                raise TooLarge(
                    f"not all of {count(len(advice.slow), 'slow query', QUERIES)} are "
                    f"measured in {seconds:g} seconds: raise --max-seconds"
                ) from None
    except TooLarge as reason:
        advice.skipped = str(reason)
    check()
    make_state_folder(root)
    folder = root.path / "knowledge" / "optimize"
    folder.mkdir(parents=True, exist_ok=True)
    if not advice.skipped:
        text = json.dumps(_report(advice, started), ensure_ascii=False, indent=2)
        files.write_text(folder / REPORT, root.staging, f"{text}\n")
    files.write_text(folder / SUMMARY, root.staging, _summary(advice, started))
    return advice


def slow_queries(root: Root, limits: Limits) -> list[Slow]:
    """The slow queries with a text, those that cost most first. Raises OSError."""
    try:
        with duckdb.connect(config={"threads": 1}) as db:
            create_views(db, root)
            found = db.execute(
                SLOW.read_text(encoding="utf-8"),
                {
                    "today": present().date(),
                    "days": limits.days,
                    "min_samples": limits.min_samples,
                    "slow_ms": limits.slow_ms,
                },
            )
            columns = [column[0] for column in found.description or ()]
            return [dict(zip(columns, row, strict=True)) for row in found.fetchall()]
    except duckdb.Error as error:
        raise OSError(
            f"the marts cannot be read: {error}: run `ops-atomic validate`"
        ) from error


def _measure(advice: Advice, bench: Bench) -> None:
    found = []
    for slow in advice.slow:
        try:
            query = read_query(slow["query_text"], bench.tables)
            if not query.candidates:
                raise NotAdvised("no index is left to propose")
            worth = [one for one in bench.measure(query) if _is_worth_it(one)]
            if not worth:
                raise NotAdvised("no index makes it faster")
            found.append((slow, _best(worth)))
        except NotAdvised as reason:
            advice.passed_over[str(reason)] += 1
        except sqlite3.Error:
            advice.passed_over["it cannot be run on this database"] += 1
    advice.found = _without_doubles(found)


def _is_worth_it(one: Measured) -> bool:
    return one.speedup >= WORTH_IT and one.before_ms - one.after_ms >= WORTH_MS


def _best(worth: Sequence[Measured]) -> Measured:
    """The fastest; among those nearly as fast the one of fewest columns."""
    fastest = min(one.after_ms for one in worth)
    near = [one for one in worth if one.after_ms <= 1.1 * fastest + 0.05]
    return min(near, key=lambda one: (len(one.candidate.columns), one.after_ms))


def _without_doubles(
    found: Sequence[tuple[Slow, Measured]],
) -> list[tuple[Slow, Measured]]:
    """Each index once, for the query that costs most; none that another begins
    with."""
    once: dict[tuple[str, tuple[str, ...]], tuple[Slow, Measured]] = {}
    for slow, one in found:
        once.setdefault((one.candidate.table, one.candidate.columns), (slow, one))
    return [
        pair
        for (table, columns), pair in once.items()
        if not any(
            table == other and len(wider) > len(columns)
            and wider[: len(columns)] == columns
            for other, wider in once
        )
    ]  # fmt: skip


def _report(advice: Advice, started: datetime) -> dict[str, Any]:
    return {
        "timestamp": _time(started),
        "status": "needs_attention" if advice.found else "ok",
        "slow_queries": [
            {
                "pattern": slow["query_text"],
                "samples": int(slow["samples"]),
                "p50": round(slow["p50_ms"], 3),
                "p95": round(slow["p95_ms"], 3),
                "p99": round(slow["p99_ms"], 3),
            }
            for slow in advice.slow
        ],
        "recommendations": [
            {
                "table": one.candidate.table,
                "column": ", ".join(one.candidate.columns),
                "index": one.candidate.name,
                "query_pattern": slow["query_text"],
                "p95_ms": round(slow["p95_ms"], 3),
                "reason": _reason(one),
                "sql": one.candidate.sql,
                "estimated_impact": _impact(one),
                "estimated_speedup": round(one.speedup, 1),
                "estimated_cost": one.index_bytes,
            }
            for slow, one in advice.found
        ],
    }


def _impact(one: Measured) -> str:
    return next(name for least, name in IMPACTS if one.speedup >= least)


def _reason(one: Measured) -> str:
    before = f"{'more than ' if one.is_at_least else ''}{one.before_ms:.2f} ms"
    return (
        f"Measured on a copy: {before} before, {one.after_ms:.2f} ms after, medians "
        f"of {RUNS} runs; the index has {one.index_bytes:,} bytes and was built in "
        f"{one.build_ms:.1f} ms. Plan before: {one.plan_before}. "
        f"After: {one.plan_after}"
    )


def _summary(advice: Advice, started: datetime) -> str:
    ended = utc_now()
    seconds = (ended - started).total_seconds()
    lines = [
        f"[{_time(started)}] run_started mode=optimize",
        f"[{_time(ended)}] queries_analyzed slow={len(advice.slow)} "
        f"advised={len(advice.found)} duration_s={seconds:.1f}",
    ]
    for _, one in advice.found:
        lines.append(
            f"[{_time(ended)}] index_measured before_ms={one.before_ms:.3f} "
            f"after_ms={one.after_ms:.3f} speedup={one.speedup:.1f} "
            f"size_bytes={one.index_bytes} build_ms={one.build_ms:.1f} "
            f"table={_quoted(one.candidate.table)} "
            f"index={_quoted(one.candidate.name)}"
        )
    lines += [
        f"[{_time(ended)}] queries_passed_over queries={many} reason={_quoted(reason)}"
        for reason, many in sorted(advice.passed_over.items())
    ]
    if advice.slow:
        slowest = max(slow["p95_ms"] for slow in advice.slow)
        lines.append(f"Slowest query: {slowest:.1f} ms")
    end = f"[{_time(ended)}] run_finished"
    if advice.skipped:
        lines.append(f"{end} status=skipped reason={_quoted(advice.skipped)}")
    else:
        lines.append(f"{end} status=ok")
    return "\n".join([*lines, ""])


def _quoted(text: str) -> str:
    return '"' + " ".join(text.replace('"', "'").split()) + '"'


def _time(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"
