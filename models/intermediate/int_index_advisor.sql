select
    reported_at,
    table_name,
    coalesce(
        index_name,
        {{ created_index('create_index_sql') }},
        'idx_' || table_name || '_' || column_name
    ) as recommended_index,
    query_pattern,
    estimated_speedup,
    estimated_cost,
    coalesce(priority, estimated_impact) as priority,
    coalesce(status, 'pending') as status,
    create_index_sql,
    reason,
    source_file,
    raw,
    reject_reason,
    day,
    'index_advisor' as landing_source,
    if(reject_reason is null, 'published', 'reject') as outcome,
from {{ ref('stg_index_advisor_recommendations') }}
