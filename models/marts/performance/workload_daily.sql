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
        {{ quantile_of_places(
            'execution_time_ms', 'place', 'executions', 0.95
        ) }} as p95_ms
    from rank_in_table
    group by machine, table_name, query_type, date_partition

),

total_tables as (

    {{ total_of_places(
        'rank_in_table',
        ['machine', 'table_name', 'query_type', 'date_partition'],
        'execution_time_ms'
    ) | indent(4) }}

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

)

select
    tables.machine,
    tables.table_name,
    tables.query_type,
    tables.date_partition,
    tables.executions,
    totals.total_ms,
    tables.p95_ms,
    totals.total_ms / nullif(days.total_ms, 0) as share_of_total
from sum_tables as tables
inner join total_tables as totals
    on
        tables.machine = totals.machine
        and tables.table_name is not distinct from totals.table_name
        and tables.query_type is not distinct from totals.query_type
        and tables.date_partition = totals.date_partition
inner join total_days as days
    on
        tables.machine = days.machine
        and tables.date_partition = days.date_partition
