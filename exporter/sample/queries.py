"""Query performance of a synthetic root: daily rows, weekly patterns."""

from __future__ import annotations

import functools
import hashlib
import itertools
import json
import math
from datetime import date
from typing import NamedTuple

from exporter.sample import planted
from exporter.sample.days import Input, chance, clock, midnight, slowness

REPORTS = "g/reports"
ROWS_HEADER = (
    "timestamp,query_hash,query_type,execution_time_ms,rows_examined,"
    "rows_returned,cache_hit,table_name,index_used"
)
PATTERNS_HEADER = "pattern,samples,avg_ms,p50_ms,p95_ms,p99_ms,slow_flag"
SLOW_P95_MS = 100

# Table, the column it is looked up by, the column that holds its text.
TABLES = (
    ("docs", "path", "content"),
    ("document_chunks", "doc_path", "snippet"),
    ("embeddings", "doc_id", "namespace"),
    ("memories", "kind", "body"),
    ("query_log", "session_id", "query"),
    ("cls_metrics", "timestamp", "metric"),
    ("sessions", "agent", "summary"),
    ("alerts", "level", "message"),
    ("jobs", "state", "payload"),
)
# Text, kind, usual time in ms. A kind says how many rows a query looks at.
SHAPES = (
    ("select * from {table} where id = ?", "point", 0.9),
    ("select * from {table} where {key} = ?", "lookup", 6.0),
    ("select {text} from {table} where {text} like ?", "scan", 55.0),
    ("select count(*) from {table}", "count", 13.0),
    ("insert into {table} values (?)", "point", 2.5),
    ("update {table} set {text} = ? where id = ?", "point", 7.0),
    ("delete from {table} where id = ?", "point", 3.5),
)
# Share of the day's queries by UTC hour: people work in Asia.
LOAD = (
    5, 7, 9, 10, 10, 8, 9, 10, 10, 9, 7, 5, 4, 4, 5, 4, 3, 2, 1, 1, 1, 1, 2, 3,
)  # fmt: skip


class Query(NamedTuple):
    """A query that recurs: what never changes of it, and what it costs."""

    text: str
    query_hash: str
    query_type: str
    kind: str
    table: str
    column: str
    index_name: str
    usual_ms: float
    spread: float
    hit_rate: float
    examined: int
    selectivity: float


class QueryDay(NamedTuple):
    """A day's CSV, and the times in it in ms, by place in the catalogue."""

    csv: Input
    times_ms: dict[int, list[float]]
    hits: int


class Pattern(NamedTuple):
    """The times of one query over a day or week, in ms."""

    query: Query
    samples: int
    avg: float
    p50: float
    p95: float
    p99: float

    @property
    def is_slow(self) -> bool:
        return self.p95 >= SLOW_P95_MS


def hash_of(text: str) -> str:
    """The hash that the query log's lines get too, so that the two agree."""
    collapsed = " ".join(text.lower().split())
    return hashlib.md5(collapsed.encode(), usedforsecurity=False).hexdigest()[:12]


@functools.lru_cache(maxsize=8)
def catalogue(seed: int) -> tuple[Query, ...]:
    """The recurring queries of a machine, the most frequent first."""
    draw = chance(seed, None, "catalogue")
    ranked = []
    for table, key, text_column in TABLES:
        table_rows = int(800 * math.exp(draw.gauss(0, 1.2)))
        for text, kind, usual_ms in SHAPES:
            text = text.format(table=table, key=key, text=text_column)
            rank, pace = draw.random(), math.exp(draw.gauss(0, 0.35))
            spread, hit_rate = 0.25 + 0.4 * draw.random(), 0.5 * draw.random()
            reads = text.startswith("select")
            query = Query(
                text, hash_of(text), text.split()[0].upper(), kind, table,
                column=text_column if kind == "scan" else key,
                index_name={"point": "PRIMARY", "lookup": f"idx_{table}_{key}"}.get(
                    kind, ""
                ),
                usual_ms=usual_ms * pace,
                spread=spread,
                hit_rate=hit_rate if reads and kind != "count" else 0.0,
                examined={"point": 1, "lookup": 1 + table_rows // 60}.get(
                    kind, table_rows
                ),
                selectivity=0.02 + 0.1 * draw.random() if kind == "scan" else 1.0,
            )  # fmt: skip
            ranked.append((rank, query))
    return tuple(query for _, query in sorted(ranked, key=lambda pair: pair[0]))


@functools.lru_cache(maxsize=8)
def popularity(size: int) -> tuple[float, ...]:
    """Cumulative weights after Zipf: the n-th query comes 1/n as often."""
    return tuple(itertools.accumulate(1 / rank for rank in range(1, size + 1)))


@functools.lru_cache(maxsize=8)
def scans(seed: int) -> dict[int, int]:
    """The queries that look at a whole table for a text, numbered by frequency."""
    places = [n for n, query in enumerate(catalogue(seed)) if query.kind == "scan"]
    return {place: scan for scan, place in enumerate(places)}


def query_day(seed: int, day: date, number: int = 0) -> QueryDay:
    """Some 1,500 executed queries, fewer at weekends, in order of time.

    `number` counts the days of the root.
    """
    draw = chance(seed, day, "queries")
    queries = catalogue(seed)
    slow = slowness(seed, day)
    busy = (1.0 if day.weekday() < 5 else 0.86) * math.exp(draw.gauss(0, 0.08))
    count = min(max(int(1_580 * busy), 1_250), 2_100)
    count = int(count * planted.growth(number))
    slower = {
        place: planted.slowdown(number, scan) for place, scan in scans(seed).items()
    }
    unreadable = 0
    if number % planted.CYCLE == planted.UNREADABLE_DAY:
        unreadable = planted.UNREADABLE_ROWS
    hours = draw.choices(range(24), LOAD, k=count)
    seconds = sorted(hour * 3600 + int(draw.random() * 3600) for hour in hours)
    chosen = draw.choices(range(len(queries)), cum_weights=popularity(len(queries)),
                          k=count)  # fmt: skip

    date_text = day.isoformat()
    lines = [ROWS_HEADER]
    times: dict[int, list[float]] = {}
    hits = 0
    for second, place in zip(seconds, chosen, strict=True):
        query = queries[place]
        ratio = math.exp(query.spread * draw.gauss(0, 1))
        hit = draw.random() < query.hit_rate
        time_ms = query.usual_ms * ratio * slow[second // 3600] * (0.1 if hit else 1)
        time_ms = max(round(time_ms * slower.get(place, 1), 1), 0.1)
        examined = query.examined
        if query.kind in ("lookup", "scan"):
            examined = max(int(examined * ratio), 1)
        returned = 1 if query.kind == "count" else round(examined * query.selectivity)
        if unreadable:
            time_text, unreadable = "n/a", unreadable - 1
        else:
            time_text = f"{time_ms:.1f}"
            hits += hit
            times.setdefault(place, []).append(time_ms)
        lines.append(
            f"{date_text}T{clock(second)}Z,{query.query_hash},{query.query_type},{time_text},"
            f"{0 if hit else examined},{returned},{'true' if hit else 'false'},"
            f"{query.table},{query.index_name}"
        )
    if number % planted.CYCLE in planted.DRIFT_DAYS:
        lines = [f"{lines[0]},plan", *(f"{line}," for line in lines[1:])]
    lines.append("")
    path = f"{REPORTS}/query_perf_daily_{day:%Y%m%d}.csv"
    written = midnight(day) + 86_399
    return QueryDay(Input(path, written, "\n".join(lines).encode()), times, hits)


def percentile(ordered: list[float], share: float) -> float:
    """A percentile of sorted values, interpolated, as the reports have it."""
    place = share * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])


def patterns(seed: int, times_ms: dict[int, list[float]]) -> list[Pattern]:
    """Times by query, the slowest 95th percentile first."""
    found = []
    for place, query in enumerate(catalogue(seed)):
        ordered = sorted(times_ms.get(place, ()))
        if ordered:
            p50, p95, p99 = (percentile(ordered, s) for s in (0.5, 0.95, 0.99))
            average = sum(ordered) / len(ordered)
            found.append(Pattern(query, len(ordered), average, p50, p95, p99))
    return sorted(found, key=lambda pattern: (-pattern.p95, pattern.query.text))


def number(value: float) -> float | int:
    """Rounded to two places, a whole number without any, as JavaScript has it."""
    rounded = round(value, 2)
    return int(rounded) if rounded.is_integer() else rounded


def daily_twin(seed: int, day: date, times_ms: dict[int, list[float]]) -> Input:
    """A day's patterns as JSON, beside its CSV of rows."""
    found = patterns(seed, times_ms)
    twin = {
        "date": f"{day:%Y%m%d}",
        "total_queries": sum(p.samples for p in found),
        "patterns": [
            {
                "pattern": p.query.text,
                "samples": p.samples,
                "p50": number(p.p50),
                "p95": number(p.p95),
                "p99": number(p.p99),
                "slow": p.is_slow,
            }
            for p in found
        ],
    }
    path = f"{REPORTS}/query_perf_daily_{day:%Y%m%d}.json"
    return Input(path, midnight(day) + 86_399, json.dumps(twin, indent=2).encode())


def weekly(seed: int, sunday: date, times_ms: dict[int, list[float]]) -> list[Input]:
    """A week's patterns as CSV and JSON, named by ISO week."""
    year, week, _ = sunday.isocalendar()
    name = f"{year}{week:02}"
    found = patterns(seed, times_ms)
    lines = [PATTERNS_HEADER]
    lines += [
        f'"{p.query.text}",{p.samples},{p.avg:.2f},{p.p50:.2f},{p.p95:.2f},'
        f"{p.p99:.2f},{'true' if p.is_slow else 'false'}"
        for p in found
    ]
    entries = [
        {
            "pattern": p.query.text,
            "samples": p.samples,
            "p50_weekly": number(p.p50),
            "p95_weekly": number(p.p95),
            "p99_weekly": number(p.p99),
            "slow": p.is_slow,
        }
        for p in found
    ]
    twin = {
        "week": name,
        "total_queries": sum(p.samples for p in found),
        "all_patterns": entries,
        "slow_patterns": [entry for entry in entries if entry["slow"]],
    }
    path = f"{REPORTS}/query_perf_weekly_{name}"
    written = midnight(sunday) + 86_399
    return [
        Input(f"{path}.csv", written, ("\n".join(lines) + "\n").encode()),
        Input(f"{path}.json", written, json.dumps(twin, indent=2).encode()),
    ]
