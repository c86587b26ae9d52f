with

query_rows as (

    from {{ ref('stg_query_rows') }}

),

query_log as (

    from {{ ref('stg_query_log') }}

),

union_rows_and_log as (

    select
        executed_at,
        query_hash,
        query_type,
        execution_time_ms,
        rows_examined,
        rows_returned,
        is_cache_hit,
        table_name,
        index_used,
        cpu_time_ms,
        io_wait_ms,
        source_file,
        line_number,
        raw,
        reject_reason,
        day,
        'query_rows' as landing_source,
    from query_rows
    union all
    select
        executed_at,
        query_hash,
        query_type,
        execution_time_ms,
        null as rows_examined,
        rows_returned,
        is_cache_hit,
        null as table_name,
        null as index_used,
        null as cpu_time_ms,
        null as io_wait_ms,
        source_file,
        line_number,
        raw,
        reject_reason,
        day,
        'query_log' as landing_source,
    from query_log

)

select
    *,
    if(reject_reason is null, 'published', 'reject') as outcome,
from union_rows_and_log
