-- Questions to ask of the catalogue, each answered by one query. From the root:
--   duckdb -readonly g/analytics/ops_atomic.duckdb < /path/to/example_queries.sql
-- Where a query speaks of 30 days, they end with the newest day published. What is
-- asked of now, of last night or of this month is as old as the last run.

-- What is down now, since when, and why
select
    check_key,
    started_at,
    round(duration_s / 3600, 1) as hours,
    heartbeats_down,
    cause,
from open_incidents();

-- What broke last night, and for how long
select
    check_key,
    started_at,
    ended_at,
    round(duration_s / 60) as minutes,
    cause,
from incidents
where
    coalesce(ended_at, as_of()) > as_of() - interval 24 hours
    -- One heartbeat that came late is no news.
    and duration_s >= 60
order by started_at, check_key;

-- Uptime this month against its target, and how much of the time was seen
select
    check_key,
    target,
    round(uptime_observed, 5) as uptime,
    round(coverage, 3) as coverage,
    is_breached,
    round(budget_left_s / 60) as budget_left_minutes,
from slo_status
where period = 'month'
order by budget_left_s, check_key;

-- The ten slowest queries of the last seven days, and which of them got slower
select
    slow.query_key as query_hash,
    any_value(runs.query_type) as query_type,
    any_value(runs.table_name) as table_name,
    any_value(runs.query_text) as query_text,
    slow.executions_after as executions,
    round(slow.p95_after_ms, 1) as p95_ms,
    round(slow.p95_before_ms, 1) as p95_before_ms,
    round(slow.ratio, 2) as ratio,
    slow.verdict,
from query_regressions as slow
left join query_performance as runs on slow.query_key = runs.query_hash
where slow.kind = 'query' and slow.p95_after_ms is not null
group by all
order by p95_ms desc, query_hash
limit 10;

-- Which advice was worth it: closed, and how much faster its queries are since
select
    table_name,
    recommended_index,
    first_seen,
    closed_at,
    round(p95_before_ms, 1) as p95_before_ms,
    round(p95_after_ms, 1) as p95_after_ms,
    round(effect_ratio, 3) as effect_ratio,
from index_recommendations
where not is_open
order by effect_ratio nulls last, closed_at, table_name;

-- What was rejected and why, with an example
select
    dataset,
    reason,
    count(*) as records,
    max(date_partition) as last_day,
    max(source_file || coalesce(':' || line_number, '')) as example,
from rejected_records
group by dataset, reason
order by records desc, dataset, reason;

-- What grows fastest: bytes a day, and where that leads in 90 days
select
    storage.series as dataset,
    round(storage.slope_per_day) as bytes_a_day,
    round(storage.forecast) as bytes_in_90_days,
    round(counts.slope_per_day, 2) as rows_more_each_day,
from metric_forecast as storage
left join metric_forecast as counts
    on
        storage.series = counts.series
        and storage.horizon_days = counts.horizon_days
        and counts.metric = 'rows'
where
    storage.metric = 'stored_bytes'
    and storage.series != 'all'
    and storage.horizon_days = 90
order by bytes_a_day desc nulls last, dataset;

-- What each table costs: its share of all query time in 30 days
with recent as (
    from workload_daily
    qualify date_partition > max(date_partition) over () - 30
)

select
    table_name,
    sum(executions)::bigint as executions,
    round(sum(total_ms)) as total_ms,
    round(sum(total_ms) / sum(sum(total_ms)) over (), 3) as share,
    max_by(query_type, total_ms) as dearest_type,
from recent
group by table_name
order by total_ms desc, table_name;

-- Checks that flap: how often a day they changed their state in 30 days
select
    check_key,
    round(flaps_per_day, 2) as flaps_per_day,
    incidents,
    round(mttr_s / 60, 1) as minutes_to_mend,
    round(degraded_share, 4) as degraded_share,
from reliability_summary
where period = '30d'
order by flaps_per_day desc, check_key;

-- When the monitor itself was silent, and for how long
select
    started_at,
    ended_at,
    round(duration_s / 60) as minutes,
from incidents
where check_key = 'monitor' and duration_s >= 60
order by duration_s desc;

-- Index advice that is still open, by priority
select
    priority,
    table_name,
    recommended_index,
    query_pattern,
    estimated_speedup,
    first_seen,
    reports,
    reason,
    sql,
from index_recommendations
where is_open
order by
    list_position(['high', 'medium', 'low'], lower(priority)) nulls last,
    estimated_speedup desc nulls last,
    recommended_index;

-- Sources that have stopped, or were never seen
select
    source,
    dataset,
    status,
    last_record_at,
    round(age_s / 3600, 1) as hours_old,
    round(allowed_age_s / 3600) as hours_allowed,
from dataset_freshness
order by is_stale desc, age_s desc nulls last, source;

-- What was odd of late: the furthest from what is usual first
select
    metric,
    series,
    observed_at,
    value,
    expected,
    round(robust_z, 1) as robust_z,
from metric_anomalies
where is_anomaly
order by abs(robust_z) desc, observed_at desc
limit 20;

-- How the machine was, per day over 30 days: share of good heartbeats, duration
select
    date_partition,
    count(*) as heartbeats,
    round(100 * avg((status = 'ok')::int), 1) as ok_percent,
    round(avg(duration_ms)) as average_duration_ms,
from ops_atomic
group by date_partition
qualify date_partition > max(date_partition) over () - 30
order by date_partition;

-- Queries per day over 30 days: how many, how long, how often cached
select
    date_partition,
    count(*) as queries,
    round(avg(execution_time_ms), 2) as average_ms,
    round(quantile_cont(execution_time_ms, 0.95), 2) as p95_ms,
    round(100 * avg(cache_hit::int), 1) as cache_hit_percent,
from query_perf
group by date_partition
qualify date_partition > max(date_partition) over () - 30
order by date_partition;

-- The ten queries that took the most time in 30 days, with the texts that are known
with recent as (
    from query_performance
    qualify date_partition > max(date_partition) over () - 30
)

select
    query_hash,
    any_value(query_type) as query_type,
    any_value(table_name) as table_name,
    any_value(query_text) as query_text,
    count(*) as executions,
    round(sum(execution_time_ms)) as total_ms,
    round(quantile_cont(execution_time_ms, 0.99), 2) as p99_ms,
from recent
group by query_hash
order by total_ms desc
limit 10;

-- Executions slower than 100 ms, the slowest first
select
    timestamp,
    query_hash,
    execution_time_ms,
    rows_examined,
    rows_returned,
    index_used,
    query_text,
from slow_queries(100)
limit 20;

-- Slow patterns, as the daily, the weekly and the advisor's reports have them
select
    query_pattern,
    period,
    max(period_start) as last_seen,
    sum(samples) as samples,
    max(p95_ms) as worst_p95_ms,
from query_patterns
where is_slow
group by all
order by worst_p95_ms desc;

-- Reports of the index advisor per day, and how much they recommended
select
    date_partition,
    count(*) as reports,
    sum(recommendations) as recommendations,
    max(timestamp) as last_report_at,
from advisor_reports
group by date_partition
order by date_partition;

-- Checks that failed, how often, and what they said last
select
    check_group,
    check_name,
    count(*) as failures,
    max(timestamp) as last_failed_at,
    arg_max(split_part(message, e'\n', 1), timestamp) as last_message,
from heartbeat_checks
where status = 'error'
group by all
order by failures desc;

-- Metrics of the optimizer and the telemetry, averaged per day
select
    date_partition,
    event_type,
    metric_name,
    count(*) as samples,
    round(avg(metric_value), 3) as average,
from optimization_summary
where metric_name is not null
group by all
order by date_partition, event_type, metric_name;

-- What became of all that was read, by source and dataset
select
    source,
    dataset,
    sum(landed) as landed,
    sum(published) as published,
    sum(duplicates) as duplicates,
    sum(rejected) as rejected,
    sum(files) as files,
    max(date_partition) as last_day,
from landed_counts
group by source, dataset
order by source, dataset;

-- Checks of further reports that were not well, and when last
select
    report_type,
    check_group,
    check_name,
    status,
    count(*) as times,
    max(timestamp) as last_seen,
    max_by(message, timestamp) as last_message,
from report_checks
where status in ('warn', 'error')
group by report_type, check_group, check_name, status
order by last_seen desc, check_name;

-- Columns and keys that came or went, and since when
select
    source,
    kind,
    name,
    min(date_partition) as first_day,
    max(date_partition) as last_day,
    count(distinct source_file) as files,
from schema_drift
group by source, kind, name
order by last_day desc, source, name;

-- Runs that did not go well, the last first
select
    started_at,
    command,
    status,
    failed_files,
    errors,
    first_error,
from export_runs
where not is_success
order by started_at desc;

-- Storage by month and dataset
select
    strftime(date_partition, '%Y%m') as month,
    dataset,
    sum(files)::bigint as files,
    sum(row_count)::bigint as records,
    ceil(sum(parquet_bytes) / 1000)::bigint as kilobytes,
from storage_daily
group by all
order by month, dataset;
