-- One row per range and table, of the 12 that took most time in it: its cost.
with sums as (
    select
        period,
        table_name,
        cast(sum(executions) as bigint) as executions,
        sum(total_ms) as total_ms,
    from worked
    inner join ranges
        on
            date_partition > cast(getvariable('as_of') as date) - days
            and date_partition <= cast(getvariable('as_of') as date)
    group by all
)

select
    *,
    total_ms / nullif(sum(total_ms) over (partition by period), 0)
        as share_of_total,
from sums
qualify row_number() over (
    partition by period order by total_ms desc, table_name
) <= 12
order by
    list_position(['24h', '7d', '30d', '90d', 'all'], period),
    total_ms desc, table_name
