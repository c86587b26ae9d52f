select
    executed_at as timestamp,
    query_hash,
    query_type,
    execution_time_ms,
    rows_examined,
    rows_returned,
    is_cache_hit as cache_hit,
    table_name,
    index_used,
    cpu_time_ms,
    io_wait_ms,
    day as date_partition,
    source_file,
from {{ ref('int_queries') }}
where outcome = 'published'
