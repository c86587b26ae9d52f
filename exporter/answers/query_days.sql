-- One row per day with queries: how many, how long in all, and their p95.
select
    date_partition as day,
    cast(sum(executions) as bigint) as executions,
    sum(total_ms) as total_ms,
    any_value(day_p95_ms) as p95_ms,
from ran
where date_partition <= cast(getvariable('as_of') as date)
group by all
order by day
