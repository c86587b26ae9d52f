select
    filename,
    reported_at as timestamp,
    check_group,
    check_name,
    status,
    message,
    day as date_partition,
    'heartbeats' as landing_source,
    'published' as outcome,
from {{ ref('stg_heartbeat_checks') }}
