select
    dataset,
    source_file,
    line_number,
    left(raw, 4096) as raw,
    reject_reason as reason,
    day as date_partition,
    landing_source,
    if(outcome = 'reject', 'published', 'no reject') as outcome,
from {{ ref('int_record_outcomes') }}
