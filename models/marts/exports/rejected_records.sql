select
    dataset,
    source_file,
    line_number,
    left(raw, 4096) as raw,
    reject_reason as reason,
    day as date_partition,
from {{ ref('int_rejected_records') }}
