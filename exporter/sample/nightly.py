"""What else the nightly jobs leave: logs, metrics, advice, a summary."""

from __future__ import annotations

import json
import math
from datetime import date

from exporter.sample.days import DAY_SECONDS, Input, chance, clock, midnight
from exporter.sample.queries import Pattern, QueryDay, catalogue, number, patterns

QUERY_LOG = "g/reports/query_perf.jsonl"
TELEMETRY = "g/telemetry/rollup_daily.ndjson"
ADVISOR_RECENT = "g/reports/index_advisor_report.json"
ADVISOR_CLASSIC = "knowledge/optimize/index_advisor_report.json"
SUMMARY = "knowledge/optimize/optimization_summary.txt"

TELEMETRY_AT = 9 * 3600
ADVISOR_AT = 23 * 3600 + 50 * 60
SUMMARY_AT = 23 * 3600 + 55 * 60

HEALTH = "g/reports/health"
HEALTH_AT = 3600 + 4
HEALTH_CHECKS = (
    "Scanner LaunchAgent",
    "Dashboard data valid",
    "Agent status tool",
    "Main disk space >10GB",
)

SEARCHES = (
    "phase 7.2 --k=5",
    "token savings --k=3",
    "optimization performance",
    "heartbeat missed overnight",
    "index advisor slow queries --k=10",
    "parquet export",
    "สถานะระบบ วันนี้",
)


def query_log_day(seed: int, day: date) -> Input:
    """Log lines of a day: searches with a time, now and then one without."""
    draw = chance(seed, day, "query_log")
    queries = catalogue(seed)
    searches = 5 + int(draw.random() * 8)
    seconds = sorted(int(draw.random() * DAY_SECONDS) for _ in range(searches))
    lines = []
    for second in seconds:
        embed_ms = 300 * math.exp(draw.gauss(0, 0.4))
        text = SEARCHES[int(draw.random() * len(SEARCHES))]
        if draw.random() < 0.2:
            text = queries[int(draw.random() * len(queries))].text
        cached = draw.random() < 0.35
        timings: dict[str, float | bool] = {
            "fts_ms": round(12 * math.exp(draw.gauss(0, 0.5)), 6),
            "embed_ms": round(0.4 if cached else embed_ms, 6),
            "cache_hit": cached,
            "embed_cache_ms": 0 if cached else int(embed_ms),
            "rerank_ms": round(0.8 + 0.5 * draw.random(), 6),
        }
        total_ms = sum(timings[key] for key in ("fts_ms", "embed_ms", "rerank_ms"))
        timings["total_ms"] = round(total_ms, 6)
        line = {
            "ts": f"{day}T{clock(second)}.{int(draw.random() * 1000):03}Z",
            "query": text,
            "mode": "verify" if draw.random() < 0.3 else "search",
            "timings": timings,
            "resultCount": 10 if draw.random() < 0.8 else int(draw.random() * 10),
        }
        lines.append(json.dumps(line, ensure_ascii=False, separators=(",", ":")))
        if draw.random() < 0.05:
            query = queries[int(draw.random() * len(queries))]
            untimed = {"query": query.text, "duration_ms": round(query.usual_ms)}
            lines.append(json.dumps(untimed))
    data = "".join(f"{line}\n" for line in lines).encode()
    return Input(QUERY_LOG, midnight(day) + seconds[-1], data)


def telemetry_day(seed: int, day: date) -> Input:
    """Metrics of a day: the rollup runs up to four times and says the same."""
    draw = chance(seed, day, "telemetry")
    warnings, errors = int(4 * draw.random() ** 2), int(3 * draw.random() ** 4)
    average = 60 * math.exp(draw.gauss(0, 0.4))
    metrics: dict[str, float | int] = {
        "cache_hit_rate": number(0.4 + 0.4 * draw.random()),
        "query_avg_ms": round(average),
        "query_p95_ms": round(average * (2 + draw.random())),
        "autoheal_events": int(2 * draw.random() ** 3),
        "alerts_total": 3 * warnings + errors,
        "alerts_warn": warnings,
        "alerts_error": errors,
    }
    moment = f"{day}T{clock(TELEMETRY_AT)}.000Z"
    lines = [
        json.dumps({"ts": moment, "metric": name, "value": value},
                   separators=(",", ":")) + "\n"
        for name, value in metrics.items()
    ]  # fmt: skip
    runs = 1 + int(draw.random() * 4)
    data = ("".join(lines) * runs).encode()
    return Input(TELEMETRY, midnight(day) + TELEMETRY_AT + 60 * runs, data)


def advisor_reports(seed: int, day: date, queries: QueryDay) -> list[Input]:
    """The reports of a night in both shapes, each of its own run."""
    found = patterns(seed, queries.times_ms)
    slow = [pattern for pattern in found if pattern.is_slow][:10]
    unindexed = [pattern for pattern in slow if not pattern.query.index_name]
    classic_at, recent_at = ADVISOR_AT, ADVISOR_AT + 121
    return [
        _report(ADVISOR_CLASSIC, day, classic_at, {
            "timestamp": f"{day}T{clock(classic_at)}Z",
            "recommendations": [_classic_advice(pattern) for pattern in unindexed],
        }),
        _report(ADVISOR_RECENT, day, recent_at, {
            "timestamp": f"{day}T{clock(recent_at)}.{seed % 1000:03}Z",
            "status": "needs_attention" if unindexed else "healthy",
            "slow_queries": [_slow_query(pattern) for pattern in slow],
            "existing_indexes": [
                {
                    "name": query.index_name,
                    "table": query.table,
                    "sql": f"CREATE INDEX {query.index_name}"
                    f" ON {query.table}({query.column})",
                }
                for query in catalogue(seed)
                if query.kind == "lookup"
            ],
            "recommendations": [_recent_advice(pattern) for pattern in unindexed],
        }),
    ]  # fmt: skip


def health_report(seed: int, day: date) -> Input:
    """The named checks of a day, written at eight in the morning, at +07."""
    draw = chance(seed, day, "health")
    moment = f"{day}T08:00:04+0700"
    checks: list[dict[str, object]] = []
    for name in HEALTH_CHECKS:
        is_well = draw.random() < 0.95
        checks.append({"name": name, "status": "pass" if is_well else "fail"})
        if not is_well:
            checks[-1]["exit_code"] = 1
        checks[-1]["timestamp"] = moment
    failed = sum(check["status"] == "fail" for check in checks)
    passed = len(checks) - failed
    summary = {
        "total": len(checks),
        "passed": passed,
        "failed": failed,
        "success_rate": f"{100 * passed // len(checks)}%",
    }
    report: dict[str, object] = {"timestamp": moment, "checks": checks}
    report["summary"] = summary
    return _report(f"{HEALTH}/health_{day:%Y%m%d}.json", day, HEALTH_AT, report)


def _report(path: str, day: date, second: int, report: dict[str, object]) -> Input:
    data = json.dumps(report, indent=2).encode()
    return Input(path, midnight(day) + second, data)


def _slow_query(pattern: Pattern) -> dict[str, object]:
    return {
        "pattern": pattern.query.text,
        "samples": pattern.samples,
        "p50": round(pattern.p50),
        "p95": round(pattern.p95),
        "p99": round(pattern.p99),
    }


def _classic_advice(pattern: Pattern) -> dict[str, object]:
    query = pattern.query
    return {
        "table": query.table,
        "index": f"idx_{query.table}_{query.column}",
        "query_pattern": query.text,
        "estimated_speedup": round(1 + pattern.p95 / 60, 1),
        "priority": "high" if pattern.p95 >= 150 else "medium",
    }


def _recent_advice(pattern: Pattern) -> dict[str, object]:
    query = pattern.query
    index = f"idx_{query.table}_{query.column}"
    return {
        "table": query.table,
        "column": query.column,
        "query_pattern": query.text,
        "p95_ms": round(pattern.p95),
        "reason": f"Full scan of {query.table}, {pattern.samples} times a day",
        "sql": f"CREATE INDEX {index} ON {query.table}({query.column})",
        "estimated_impact": "high" if pattern.p95 >= 150 else "medium",
    }


def summary_text(seed: int, day: date, queries: QueryDay) -> str:
    """The optimizer's summary of a day, in its three line shapes and prose."""
    draw = chance(seed, day, "summary")
    times = sorted(time for found in queries.times_ms.values() for time in found)
    total = len(times)
    slow = sum(time >= 100 for time in times)
    freed_kb = round(900 * math.exp(draw.gauss(0, 0.8)))
    vacuumed = {
        "timestamp": f"{day}T{clock(SUMMARY_AT + 9)}Z",
        "event_type": "vacuum",
        "metric_name": "freed_kb",
        "metric_value": freed_kb,
        "metadata": {"database": "02luka.db"},
    }
    analyzed = f"queries={total} slow={slow} duration_s={2 + 6 * draw.random():.1f}"
    lines = [
        f"[{day}T{clock(SUMMARY_AT)}Z] run_started mode=nightly host=mini",
        f"[{day}T{clock(SUMMARY_AT + 4)}Z] queries_analyzed {analyzed} mode=nightly",
        json.dumps(vacuumed),
        f"Cache hit rate: {100 * queries.hits / total:.1f} %",
        f"Average query time: {sum(times) / total:.1f} ms",
        f"Slowest query: {times[-1]:.1f} ms",
        "",
        f"Slow queries stayed below {math.ceil(100 * slow / total)} in a hundred.",
    ]
    if draw.random() < 0.4:
        lines.append("Review the recommended indexes before the next run.")
    lines.append(f"[{day}T{clock(SUMMARY_AT + 11)}Z] run_finished status=ok")
    return "".join(f"{line}\n" for line in lines)


def dated_summary(day: date, text: str) -> Input:
    """The copy of a summary that no later night overwrites."""
    path = f"g/reports/optimization_summary_{day:%Y%m%d}.txt"
    return Input(path, midnight(day) + SUMMARY_AT + 12, text.encode())


def latest_summary(day: date, text: str) -> Input:
    """The summary itself: the next night overwrites it."""
    return Input(SUMMARY, midnight(day) + SUMMARY_AT + 11, text.encode())
