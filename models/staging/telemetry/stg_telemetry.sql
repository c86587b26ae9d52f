{%- set cells = {
    'metric': {'type': 'varchar', 'required': true, 'as': 'metric_name'},
    'value': {'type': 'double', 'as': 'metric_value'},
} -%}

with

type_cells as (

    select
        *,
        {{ type_cells(cells) }},
    from {{ source('landing', 'telemetry') }}

)

select
    type_cells.at as measured_at,
    {{ typed_cells(cells) }},
    source_file,
    line_number,
    raw,
    {{ reject_reason(cells) }} as reject_reason,
    day,
from type_cells
