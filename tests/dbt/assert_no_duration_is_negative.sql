{{ config(severity='warn') }}

select
    'ops_atomic' as dataset,
    filename as source_file,
    date_partition,
from {{ ref('ops_atomic') }}
where duration_ms < 0
union all
select
    'query_perf' as dataset,
    source_file,
    date_partition,
from {{ ref('query_perf') }}
where least(execution_time_ms, cpu_time_ms, io_wait_ms) < 0
