-- One row per day of the last 90, then per week: what it takes, and what all up
-- to its end takes.
with days as (
    select
        date_partition,
        cast(sum(row_count) as bigint) as row_count,
        cast(sum(source_bytes) as bigint) as source_bytes,
        cast(sum(parquet_bytes) as bigint) as parquet_bytes,
    from stored
    where date_partition <= cast(getvariable('as_of') as date)
    group by all
),

grown as (
    select
        *,
        cast(
            sum(coalesce(parquet_bytes, 0)) over (order by date_partition) as bigint
        ) as stored_bytes,
    from days
),

grains as (
    select
        unnest(['day', 'week']) as grain,
        cast(date_trunc(grain, date_partition) as date) as day,
        row_count, source_bytes, parquet_bytes, stored_bytes, date_partition,
    from grown
)

select
    grain,
    day,
    cast(sum(row_count) as bigint) as row_count,
    cast(sum(source_bytes) as bigint) as source_bytes,
    cast(sum(parquet_bytes) as bigint) as parquet_bytes,
    max(stored_bytes) as stored_bytes,
from grains
where
    grain = 'week'
    or date_partition > cast(getvariable('as_of') as date) - 90
group by all
order by grain, day
