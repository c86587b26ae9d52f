select
    query_hash,
    query_text,
    first_seen_at as first_seen,
    last_seen_at as last_seen,
    day as date_partition,
    landing_source,
    outcome,
from {{ ref('int_query_texts') }}
