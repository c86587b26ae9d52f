-- One row per day, of the last 90, and query, of the five that took most time
-- then: its p95.
with last_days as (
    select * from ran
    where
        date_partition > cast(getvariable('as_of') as date) - 90
        and date_partition <= cast(getvariable('as_of') as date)
),

most as (
    select query_hash, sum(total_ms) as total_ms
    from last_days
    group by all
    order by total_ms desc, query_hash
    limit 5
)

select query_hash, date_partition as day, p95_ms
from last_days
inner join most using (query_hash)
order by most.total_ms desc, query_hash, day
