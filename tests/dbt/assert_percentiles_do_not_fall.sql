{{ config(severity='warn') }}

select
    period,
    period_start,
    query_pattern,
    p50_ms,
    p95_ms,
    p99_ms,
from {{ ref('query_patterns') }}
where p50_ms > p95_ms or p95_ms > p99_ms or p50_ms > p99_ms
