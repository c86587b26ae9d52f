select
    occurred_at as timestamp,
    event_type,
    metric_name,
    metric_value,
    metadata,
    day as date_partition,
    landing_source,
    outcome,
from {{ ref('int_optimization_events') }}
