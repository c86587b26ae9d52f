with

sum_sources as (

    select
        {{ machine() }} as machine,
        dataset,
        date_partition,
        sum(landed) as landed,
        sum(published) as published,
        sum(duplicates) as duplicates,
        sum(rejected) as rejected
    from {{ ref('landed_counts') }}
    where
        date_partition <= cast({{ as_of() }} as date)
        and {{ is_made() }}
    group by {{ machine() }}, dataset, date_partition

)

select
    machine,
    dataset,
    date_partition,
    cast(landed as bigint) as landed,
    cast(published as bigint) as published,
    cast(duplicates as bigint) as duplicates,
    cast(rejected as bigint) as rejected,
    rejected / nullif(cast(landed as double), 0) as rejected_share
from sum_sources
