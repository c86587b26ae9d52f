select
    reported_at as timestamp,
    table_name,
    recommended_index,
    query_pattern,
    estimated_speedup,
    estimated_cost,
    priority,
    status,
    day as date_partition,
    landing_source,
    outcome,
from {{ ref('int_index_advisor') }}
