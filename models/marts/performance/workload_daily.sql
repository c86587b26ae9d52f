with

pull_queries as (

    select
        {{ machine() }} as machine,
        table_name,
        query_type,
        execution_time_ms,
        date_partition
    from {{ ref('query_perf') }}
    where
        timestamp <= {{ as_of() }}
        and {{ is_made() }}

),

rank_in_table as (

    select
        *,
        row_number() over (
            partition by machine, table_name, query_type, date_partition
            order by execution_time_ms
        ) as place,
        count(*) over (
            partition by machine, table_name, query_type, date_partition
        ) as executions
    from pull_queries

),

sum_tables as (

    select
        machine,
        table_name,
        query_type,
        date_partition,
        count(*) as executions,
        {{ ordered_sum('execution_time_ms') }} as total_ms,
        {{ quantile_of_places(
            'execution_time_ms', 'place', 'executions', 0.95
        ) }} as p95_ms
    from rank_in_table
    group by machine, table_name, query_type, date_partition

),

sum_days as (

    select
        machine,
        date_partition,
        {{ ordered_sum('execution_time_ms') }} as day_total_ms
    from pull_queries
    group by machine, date_partition

)

select
    tables.machine,
    tables.table_name,
    tables.query_type,
    tables.date_partition,
    tables.executions,
    tables.total_ms,
    tables.p95_ms,
    tables.total_ms / nullif(days.day_total_ms, 0) as share_of_total
from sum_tables as tables
inner join sum_days as days
    on
        tables.machine = days.machine
        and tables.date_partition = days.date_partition
