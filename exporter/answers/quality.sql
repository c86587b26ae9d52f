-- One row per day of the last 90, then per week: what became of what was landed.
-- A record that is meant for several datasets is landed for each; a reject is one.
with days as (
    select date_partition, landed, published, duplicates, 0 as rejected
    from landed
    union all
    select date_partition, 0, 0, 0, records
    from rejected
),

grains as (
    select
        unnest(['day', 'week']) as grain,
        date_trunc(grain, date_partition) as started_on,
        *,
    from days
    where date_partition <= cast(getvariable('as_of') as date)
)

select
    grain,
    cast(started_on as date) as day,
    cast(sum(landed) as bigint) as landed,
    cast(sum(published) as bigint) as published,
    cast(sum(duplicates) as bigint) as duplicates,
    cast(sum(rejected) as bigint) as rejected,
from grains
where
    grain = 'week'
    or date_partition > cast(getvariable('as_of') as date) - 90
group by all
order by grain, day
