-- One row per range and query, of the 12 that took most time in it and the 12
-- with the highest p95: what they cost. The p95 is the mean of the days',
-- weighted by executions.
with sums as (
    select
        period,
        query_hash,
        cast(sum(executions) as bigint) as executions,
        sum(total_ms) as total_ms,
        sum(total_ms) / sum(executions) as mean_ms,
        sum(p95_ms * executions) / sum(executions) as p95_ms,
        max(max_ms) as max_ms,
        sum(rows_examined) / nullif(sum(rows_returned), 0)
            as examined_per_returned,
    from ran
    inner join ranges
        on
            date_partition > cast(getvariable('as_of') as date) - days
            and date_partition <= cast(getvariable('as_of') as date)
    group by all
),

ranked as (
    select
        *,
        total_ms / nullif(sum(total_ms) over each_period, 0) as share_of_total,
        row_number() over (
            partition by period order by total_ms desc, query_hash
        ) as place_by_time,
        row_number() over (
            partition by period order by p95_ms desc, query_hash
        ) as place_by_p95,
    from sums
    window each_period as (partition by period)
),

top as (
    select * from ranked
    where least(place_by_time, place_by_p95) <= 12
),

texts as (
    select query_hash, arg_max(query_text, last_seen) as query_text
    from texts
    where query_hash in (select query_hash from top)
    group by all
)

select
    period, query_hash, query_text, executions, total_ms, mean_ms, p95_ms, max_ms,
    examined_per_returned, share_of_total,
from top
left join texts using (query_hash)
order by
    list_position(['24h', '7d', '30d', '90d', 'all'], period),
    total_ms desc, query_hash
