select
    filename,
    'heartbeat' as report_type,
    reported_at as timestamp,
    status,
    duration_ms,
    redis_status,
    database_status,
    api_status,
    launchagent_optimizer,
    launchagent_digest,
    day as date_partition,
from {{ ref('int_heartbeats') }}
where outcome = 'published'
