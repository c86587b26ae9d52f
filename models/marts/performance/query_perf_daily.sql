with

pull_queries as (

    select
        {{ machine() }} as machine,
        query_hash,
        execution_time_ms,
        rows_examined,
        rows_returned,
        cache_hit,
        date_partition,
        case
            when rows_returned is not null then cast(rows_examined as double)
        end as examined_if_both,
        case
            when rows_examined is not null then cast(rows_returned as double)
        end as returned_if_both
    from {{ ref('query_perf') }}
    where
        timestamp <= {{ as_of() }}
        and {{ is_made() }}

),

rank_in_query as (

    select
        *,
        row_number() over (
            partition by machine, query_hash, date_partition
            order by execution_time_ms
        ) as place,
        count(*) over (
            partition by machine, query_hash, date_partition
        ) as executions
    from pull_queries

),

sum_queries as (

    select
        machine,
        query_hash,
        date_partition,
        count(*) as executions,
        {{ ordered_sum('execution_time_ms') }} as total_ms,
        {%- for percent in (50, 95, 99) %}
        {{ quantile_of_places(
            'execution_time_ms', 'place', 'executions', percent / 100
        ) }} as p{{ percent }}_ms,
        {%- endfor %}
        max(execution_time_ms) as max_ms,
        sum(cast(rows_examined as double)) as rows_examined,
        sum(cast(rows_returned as double)) as rows_returned,
        sum(examined_if_both) / nullif(sum(returned_if_both), 0)
            as examined_per_returned,
        avg(case when cache_hit then 1e0 when not cache_hit then 0e0 end)
            as cache_hit_ratio
    from rank_in_query
    group by machine, query_hash, date_partition

),

pull_times as (

    -- Once more, for what two others select from is held as a whole.
    select
        {{ machine() }} as machine,
        execution_time_ms,
        date_partition
    from {{ ref('query_perf') }}
    where
        timestamp <= {{ as_of() }}
        and {{ is_made() }}

),

rank_in_day as (

    select
        machine,
        date_partition,
        execution_time_ms,
        row_number() over (
            partition by machine, date_partition
            order by execution_time_ms
        ) as place,
        count(*) over (partition by machine, date_partition) as executions
    from pull_times

),

total_days as (

    {{ total_of_places(
        'rank_in_day', ['machine', 'date_partition'], 'execution_time_ms'
    ) | indent(4) }}

),

sum_days as (

    select
        ranked.machine,
        ranked.date_partition,
        max(totals.total_ms) as day_total_ms,
        {{ quantile_of_places(
            'execution_time_ms', 'place', 'executions', 0.95
        ) }} as day_p95_ms
    from rank_in_day as ranked
    inner join total_days as totals
        on
            ranked.machine = totals.machine
            and ranked.date_partition = totals.date_partition
    group by ranked.machine, ranked.date_partition

)

select
    queries.machine,
    queries.query_hash,
    queries.date_partition,
    queries.executions,
    queries.total_ms,
    queries.total_ms / queries.executions as mean_ms,
    queries.p50_ms,
    queries.p95_ms,
    queries.p99_ms,
    queries.max_ms,
    queries.rows_examined,
    queries.rows_returned,
    queries.examined_per_returned,
    queries.cache_hit_ratio,
    queries.total_ms / nullif(days.day_total_ms, 0) as share_of_total,
    days.day_p95_ms
from sum_queries as queries
inner join sum_days as days
    on
        queries.machine = days.machine
        and queries.date_partition = days.date_partition
