{%- set cells = {
    'event_type': {'type': 'varchar'},
    'metric_name': {'type': 'varchar'},
    'metric_value': {'type': 'double'},
    'metadata': {'type': 'json'},
} -%}

with

normalize_metric_names as (

    select
        * replace (
            if(
                shape = 'metric',
                {{ snake_case('metric_name') }},
                metric_name
            ) as metric_name
        ),
    from {{ source('landing', 'optimization_summary') }}

)

select
    normalize_metric_names.at as occurred_at,
    {{ typed_cells(cells) }},
    source_file,
    line_number,
    raw,
    {{ reject_reason(cells) }} as reject_reason,
    day,
from normalize_metric_names
