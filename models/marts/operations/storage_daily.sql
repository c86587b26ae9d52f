with

sum_sources as (

    select
        {{ machine() }} as machine,
        dataset,
        date_partition,
        sum(files) as files,
        sum(published) as row_count,
        sum(source_bytes) as source_bytes,
        -- The published file is one, whatever the number of its sources.
        max(parquet_bytes) as parquet_bytes
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
    cast(files as bigint) as files,
    cast(row_count as bigint) as row_count,
    cast(source_bytes as bigint) as source_bytes,
    parquet_bytes,
    1e0 - parquet_bytes / nullif(cast(source_bytes as double), 0) as reduction
from sum_sources
