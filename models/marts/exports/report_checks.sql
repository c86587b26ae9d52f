select
    filename,
    report_type,
    reported_at as timestamp,
    check_group,
    check_name,
    status,
    message,
    duration_ms,
    day as date_partition,
    landing_source,
    outcome,
from {{ ref('int_report_checks') }}
