select
    occurred_at as timestamp,
    event_type,
    metric_name,
    metric_value,
    metadata,
    day as date_partition,
from {{ ref('int_optimization_events') }}
where outcome = 'published'
