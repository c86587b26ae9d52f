with

sum_tables as (

    select
        {{ machine() }} as machine,
        table_name,
        date_partition,
        count(*) as executions,
        {{ ordered_sum('execution_time_ms') }} as total_ms,
        sum(cast(rows_examined as double)) as rows_examined,
        sum(cast(rows_returned as double)) as rows_returned
    from {{ ref('query_perf') }}
    where timestamp <= {{ as_of() }} and {{ is_made() }}
    group by {{ machine() }}, table_name, date_partition

),

sum_days as (

    select
        date_partition,
        {{ ordered_sum('total_ms') }} as day_total_ms
    from sum_tables
    group by date_partition

),

pull_prices as (

    select
        max(case when unit = 'execution_hour' then price end)
            as execution_hour,
        max(case when unit = 'million_executions' then price end)
            as million_executions,
        max(case when unit = 'million_rows_examined' then price end)
            as million_rows_examined,
        max(case when unit = 'million_rows_returned' then price end)
            as million_rows_returned
    from {{ ref('usage_prices') }}

)

select
    tables.machine,
    tables.table_name,
    tables.date_partition,
    tables.executions,
    tables.total_ms,
    tables.total_ms / nullif(days.day_total_ms, 0) as share_of_total,
    tables.rows_examined,
    tables.rows_returned,
    tables.total_ms / 3600000e0 * coalesce(prices.execution_hour, 0e0)
    + tables.executions / 1000000e0 * coalesce(prices.million_executions, 0e0)
    + coalesce(tables.rows_examined, 0e0) / 1000000e0
    * coalesce(prices.million_rows_examined, 0e0)
    + coalesce(tables.rows_returned, 0e0) / 1000000e0
    * coalesce(prices.million_rows_returned, 0e0) as cost
from sum_tables as tables
inner join sum_days as days on tables.date_partition = days.date_partition
cross join pull_prices as prices
