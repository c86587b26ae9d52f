select
    period,
    day as period_start,
    query_pattern,
    samples,
    avg_ms,
    p50_ms,
    p95_ms,
    p99_ms,
    is_slow,
    source_file,
    day as date_partition,
from {{ ref('int_query_patterns') }}
where outcome = 'published'
