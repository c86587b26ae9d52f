-- Questions to ask of the published Parquet. Run them from the root:
--   cd ~/02luka && duckdb < /path/to/example_queries.sql
-- Where a query speaks of 30 days, they end with the newest day published.

-- How the machine was, per day over 30 days: share of good heartbeats, duration
select
    date_partition,
    count(*) as heartbeats,
    round(100 * avg((status = 'ok')::int), 1) as ok_percent,
    round(avg(duration_ms)) as average_duration_ms,
from read_parquet('g/analytics/ops_atomic_*.parquet')
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
from read_parquet(
    'knowledge/optimize/parquet/query_perf/year=*/month=*/*.parquet',
    hive_partitioning = false
)
group by date_partition
qualify date_partition > max(date_partition) over () - 30
order by date_partition;

-- The ten queries that took the most time in 30 days
with recent_queries as (
    from read_parquet(
        'knowledge/optimize/parquet/query_perf/year=*/month=*/*.parquet',
        hive_partitioning = false
    )
    qualify date_partition > max(date_partition) over () - 30
)

select
    query_hash,
    any_value(query_type) as query_type,
    any_value(table_name) as table_name,
    count(*) as executions,
    round(sum(execution_time_ms)) as total_ms,
    round(quantile_cont(execution_time_ms, 0.99), 2) as p99_ms,
from recent_queries
group by query_hash
order by total_ms desc
limit 10;

-- Logged queries that took the most time, with their texts
with texts as (
    select
        query_hash,
        arg_max(query_text, last_seen) as query_text,
        max(last_seen) as last_seen,
    from read_parquet(
        'knowledge/optimize/parquet/query_texts/year=*/month=*/*.parquet',
        hive_partitioning = false
    )
    group by query_hash
)

select
    texts.query_text,
    count(*) as executions,
    round(sum(queries.execution_time_ms)) as total_ms,
    any_value(texts.last_seen) as last_seen,
from read_parquet(
    'knowledge/optimize/parquet/query_perf/year=*/month=*/*.parquet',
    hive_partitioning = false
) as queries
inner join texts using (query_hash)
group by query_hash, texts.query_text
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
from read_parquet(
    'knowledge/optimize/parquet/query_perf/year=*/month=*/*.parquet',
    hive_partitioning = false
)
where execution_time_ms > 100
order by execution_time_ms desc
limit 20;

-- Slow patterns, as the daily, the weekly and the advisor's reports have them
select
    query_pattern,
    period,
    max(period_start) as last_seen,
    sum(samples) as samples,
    max(p95_ms) as worst_p95_ms,
from read_parquet(
    'knowledge/optimize/parquet/query_patterns/year=*/month=*/*.parquet',
    hive_partitioning = false
)
where is_slow
group by all
order by worst_p95_ms desc;

-- Index advice that is still open, by priority, as the last report has it
with last_report as (
    -- It may recommend nothing any more.
    select max(timestamp) as timestamp,
    from read_parquet(
        'knowledge/optimize/parquet/advisor_reports/year=*/month=*/*.parquet',
        hive_partitioning = false
    )
)

select
    priority,
    table_name,
    recommended_index,
    query_pattern,
    estimated_speedup,
    reason,
    sql,
from read_parquet(
    'knowledge/optimize/parquet/index_advisor/year=*/month=*/*.parquet',
    hive_partitioning = false
)
semi join last_report using (timestamp)
where status = 'pending'
order by
    list_position(['high', 'medium', 'low'], lower(priority)) nulls last,
    estimated_speedup desc;

-- Reports of the index advisor per day, and how much they recommended
select
    date_partition,
    count(*) as reports,
    sum(recommendations) as recommendations,
    max(timestamp) as last_report_at,
from read_parquet(
    'knowledge/optimize/parquet/advisor_reports/year=*/month=*/*.parquet',
    hive_partitioning = false
)
group by date_partition
order by date_partition;

-- Checks that failed, how often, and what they said last
select
    check_group,
    check_name,
    count(*) as failures,
    max(timestamp) as last_failed_at,
    arg_max(split_part(message, e'\n', 1), timestamp) as last_message,
from read_parquet('g/analytics/heartbeat_checks/heartbeat_checks_*.parquet')
where status = 'error'
group by all
order by failures desc;

-- Outages: stretches of failing heartbeats of one check, with their length
with mark_changes as (
    select
        check_group,
        check_name,
        timestamp,
        status = 'error' as is_failing,
        is_failing is distinct from lag(is_failing) over checks as is_change,
    from read_parquet('g/analytics/heartbeat_checks/heartbeat_checks_*.parquet')
    window checks as (partition by check_group, check_name order by timestamp)
),

number_stretches as (
    select
        *,
        count(*) filter (is_change) over (
            partition by check_group, check_name order by timestamp
        ) as stretch,
    from mark_changes
)

select
    check_group,
    check_name,
    min(timestamp) as failing_from,
    max(timestamp) as failing_until,
    count(*) as heartbeats,
from number_stretches
where is_failing
group by check_group, check_name, stretch
order by failing_from desc;

-- Metrics of the optimizer and the telemetry, averaged per day
select
    date_partition,
    event_type,
    metric_name,
    count(*) as samples,
    round(avg(metric_value), 3) as average,
from read_parquet(
    'knowledge/optimize/parquet/optimization_summary/year=*/month=*/*.parquet',
    hive_partitioning = false
)
where metric_name is not null
group by all
order by date_partition, event_type, metric_name;

-- Records that could not be typed, by dataset and reason, with an example
select
    dataset,
    reason,
    count(*) as records,
    max(date_partition) as last_day,
    any_value(source_file || coalesce(':' || line_number, '')) as example,
from read_parquet('g/analytics/rejected_records/rejected_records_*.parquet')
group by dataset, reason
order by records desc;

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
from read_parquet('g/analytics/landed_counts/landed_counts_*.parquet')
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
from read_parquet('g/analytics/report_checks/report_checks_*.parquet')
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
from read_parquet('g/analytics/schema_drift/schema_drift_*.parquet')
group by source, kind, name
order by last_day desc, source, name;

-- Storage by month and dataset
select
    regexp_extract(filename, '(\d{6})\d{2}[.]parquet$', 1) as month,
    regexp_extract(filename, '(\w+)_\d{8}[.]parquet$', 1) as dataset,
    count(*) as files,
    ceil(sum(size) / 1000)::bigint as kilobytes,
from read_blob([
    'g/analytics/*.parquet',
    'g/analytics/*/*.parquet',
    'knowledge/optimize/parquet/**/*.parquet',
])
group by all
order by month, dataset;
