{%- set today = 'cast(' ~ as_of() ~ ' as date)' -%}

with

pull_storage as (

    select
        machine,
        dataset,
        date_partition,
        row_count,
        sum(parquet_bytes) over (
            partition by machine, dataset
            order by date_partition
            rows between unbounded preceding and current row
        ) as stored_bytes
    from {{ ref('storage_daily') }}
    where date_partition < {{ today }}

),

sum_storage as (

    select
        machine,
        date_partition,
        sum(sum(parquet_bytes)) over (
            partition by machine
            order by date_partition
            rows between unbounded preceding and current row
        ) as stored_bytes
    from {{ ref('storage_daily') }}
    where date_partition < {{ today }}
    group by machine, date_partition

),

sum_queries as (

    select
        machine,
        date_partition,
        {{ ordered_sum('total_ms') }} as total_ms,
        max(day_p95_ms) as p95_ms
    from {{ ref('query_perf_daily') }}
    where {{ within_history() }} and date_partition < {{ today }}
    group by machine, date_partition

)

select
    machine,
    'stored_bytes' as metric,
    dataset as series,
    date_partition,
    cast(stored_bytes as double) as value
from pull_storage
where {{ within_history() }} and stored_bytes is not null
union all
select
    machine,
    'stored_bytes' as metric,
    'all' as series,
    date_partition,
    cast(stored_bytes as double) as value
from sum_storage
where {{ within_history() }} and stored_bytes is not null
union all
select
    machine,
    'rows' as metric,
    dataset as series,
    date_partition,
    cast(row_count as double) as value
from pull_storage
where {{ within_history() }}
union all
select
    machine,
    'rejected_rows' as metric,
    dataset as series,
    date_partition,
    cast(rejected as double) as value
from {{ ref('data_quality_daily') }}
where {{ within_history() }} and date_partition < {{ today }}
union all
select
    machine,
    'query_total_ms' as metric,
    'all' as series,
    date_partition,
    total_ms as value
from sum_queries
union all
select
    machine,
    'query_p95_ms' as metric,
    'all' as series,
    date_partition,
    p95_ms as value
from sum_queries
