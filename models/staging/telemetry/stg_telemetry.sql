{%- set cells = {
    'metric': {'type': 'varchar', 'required': true, 'as': 'metric_name'},
    'value': {'type': 'double', 'as': 'metric_value'},
} -%}

select
    landed.at as measured_at,
    {{ typed_cells(cells) }},
    source_file,
    line_number,
    raw,
    {{ reject_reason(cells) }} as reject_reason,
    day,
from {{ source('landing', 'telemetry') }} as landed
