"""Days of a handful of machines, in which all happens that marts tell of."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

from tests.fleets import Fleet

FIRST = date(2025, 1, 1)
DAYS = 20
NOW = "2025-01-20T15:00:00"
MACHINES = ("atlas", "borealis", "corvus", "draco", "eridanus")


def days_of(machine: str, days: int = DAYS) -> list[date]:
    """Borealis is silent for four days, corvus for good since the twelfth; atlas
    has been there for a month already, long enough for a forecast to be tested."""
    first = -30 if machine == "atlas" else 0
    silent = {"borealis": range(5, 9), "corvus": range(12, days)}.get(machine, ())
    return [FIRST + timedelta(days=n) for n in range(first, days) if n not in silent]


def publish_all(fleet: Fleet, machines: Iterable[str] = MACHINES) -> None:
    """Every day of some machines, and an operator's targets and windows."""
    for machine in machines:
        for day in days_of(machine):
            publish_day(fleet, machine, day)
    settings = fleet.path / "g" / "analytics" / "settings"
    settings.mkdir(parents=True, exist_ok=True)
    (settings / "maintenance_windows.csv").write_text(
        "check_key,started_at,ended_at,reason\n"
        "redis,2025-01-04T02:00:00,2025-01-04T03:30:00,new disk\n"
    )


def publish_day(fleet: Fleet, machine: str, day: date, late: int = 0) -> None:
    """All exports of a machine's day; `late` heartbeats came in afterwards."""
    seed = MACHINES.index(machine) + 1 if machine in MACHINES else 9
    number = (day - FIRST).days
    beats = f"""
        select
            i, timestamp '{day} 00:00:30' + to_minutes(5 * i) as seen_at,
            hash(i * 1000 + {seed * 100 + number}) % 1000 as dice,
            -- Redis is down over midnight of each fifth day.
            {number} % 5 = 4 and i > 280 or {number} % 5 = 0 and i < 7 as is_down,
        from range({288 - 40 * (seed % 2) + late}) as steps (i)
        where i < 288
    """
    # Whatever is not reported of a machine has no file.
    fleet.publish(machine, "ops_atomic", day, f"""
        select
            'heartbeat_' || strftime(seen_at, '%Y-%m-%d_%H-%M-%S') || '.md' as filename,
            'heartbeat' as report_type,
            seen_at as timestamp,
            case when is_down then 'error' when dice < 30 then 'warn' else 'ok' end
                as status,
            (100 + {10 * seed} + dice / 20)::bigint as duration_ms,
            case when is_down then 'error' else 'ok' end as redis_status,
            case when dice < 30 then 'warn' else 'ok' end as database_status,
            date '{day}' as date_partition,
        from ({beats})
    """)  # fmt: skip
    fleet.publish(machine, "heartbeat_checks", day, f"""
        select
            'heartbeat_' || strftime(seen_at, '%Y-%m-%d_%H-%M-%S') || '.md' as filename,
            seen_at as timestamp,
            names.check_group,
            names.check_name,
            case
                when names.check_name = 'Status' and names.check_group = 'Redis'
                    and is_down then 'error'
                when names.check_group = 'API Endpoints' and dice between 30 and 50
                    then 'error'
                else 'ok'
            end as status,
            'answered ' || dice || chr(10) || 'in time' as message,
            date '{day}' as date_partition,
        from ({beats})
        cross join (
            values ('Redis', 'Status'), ('API Endpoints', 'Boss API'),
            ('Disks', 'Free /' || {seed})
        ) as names (check_group, check_name)
    """)  # fmt: skip
    fleet.publish(machine, "query_perf", day, f"""
        select
            timestamp '{day}' + to_seconds((i * 863)::bigint) as timestamp,
            'q' || i % 7 as query_hash,
            case when i % 3 = 0 then 'UPDATE' else 'SELECT' end as query_type,
            round(2 + i % 7 + (hash(i + {number * 31 + seed}) % 1000) / 37.0
                + case when {number} > 14 and i % 7 = 3 then 90 else 0 end, 3)
                as execution_time_ms,
            nullif(hash(i) % 500, 3)::bigint as rows_examined,
            (i % 40)::bigint as rows_returned,
            case i % 4 when 0 then true when 1 then false end as cache_hit,
            case when i % 11 > 0 then 'table_' || i % 5 end as table_name,
            date '{day}' as date_partition,
            'query_perf_daily.csv' as source_file,
        from range(100) as steps (i)
    """)  # fmt: skip
    fleet.publish(machine, "query_patterns", day, f"""
        select
            'daily' as period, date '{day}' as period_start,
            'select ' || i as query_pattern, 10 + i as samples,
            5.0 + i as avg_ms, 4.5 + i as p50_ms,
            (20 + i * {30 - number} / 7.0)::double as p95_ms,
            40.0 as p99_ms, i > 3 as is_slow, 'p.csv' as source_file,
            date '{day}' as date_partition,
        from range(5) as steps (i)
    """)  # fmt: skip
    reported = f"timestamp '{day} 03:00:00'"
    fleet.publish(machine, "advisor_reports", day, f"""
        select {reported} as timestamp, 'advisor.json' as source_file,
            2::bigint as recommendations, date '{day}' as date_partition
    """)  # fmt: skip
    fleet.publish(machine, "index_advisor", day, f"""
        select
            {reported} as timestamp, 'table_' || i as table_name,
            'idx_' || i as recommended_index, 'select ' || i as query_pattern,
            2.0 as estimated_speedup, 'high' as priority, 'pending' as status,
            date '{day}' as date_partition, 'advisor.json' as source_file,
        from range({3 if number < 8 else 1}) as steps (i)
    """)  # fmt: skip
    rejected = 40 if machine == "draco" and number > 12 else seed % 2
    fleet.publish(machine, "landed_counts", day, f"""
        select
            names.source, names.dataset, 288::bigint as landed,
            (288 - {rejected} - 1)::bigint as published, 1::bigint as duplicates,
            {rejected}::bigint as rejected, 3::bigint as files,
            (9000 + {number * 7 + seed})::bigint as source_bytes,
            (1500 + {number * 3})::bigint as parquet_bytes,
            date '{day}' as date_partition,
        from (
            values ('heartbeats', 'ops_atomic'), ('query_rows', 'query_perf')
        ) as names (source, dataset)
    """)  # fmt: skip
    fleet.publish(machine, "run_log", day, f"""
        select
            timestamp '{day} 04:00:00' as started_at,
            timestamp '{day} 04:00:09' as ended_at, 9.5::double as duration_s,
            'export' as command, 'launchd' as started_by, 'host' as machine,
            '0.2.0' as version,
            case when {number} % 6 = 3 then 'failed' else 'ok' end as status,
            0::bigint as exit_code, 300::bigint as landed_records,
            date '{day}' as date_partition,
    """)  # fmt: skip
    fleet.publish(machine, "optimization_summary", day, f"""
        select
            timestamp '{day} 05:00:00' as timestamp,
            'telemetry_rollup' as event_type, 'cache' as metric_name,
            {number}::double as metric_value, '{{}}'::json as metadata,
            date '{day}' as date_partition,
    """)  # fmt: skip
