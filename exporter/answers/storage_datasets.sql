-- One row per dataset: what all its days take.
select
    dataset,
    count(*) filter (where parquet_bytes is not null) as files,
    cast(sum(row_count) as bigint) as row_count,
    cast(sum(source_bytes) as bigint) as source_bytes,
    cast(sum(parquet_bytes) as bigint) as parquet_bytes,
    1 - sum(parquet_bytes) / nullif(sum(source_bytes), 0) as reduction,
from stored
where date_partition <= cast(getvariable('as_of') as date)
group by all
order by parquet_bytes desc nulls last, dataset
