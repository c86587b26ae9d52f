{%- set cells = {
    'event_type': {'type': 'varchar'},
    'metric_name': {'type': 'varchar'},
    'metric_value': {'type': 'double'},
    'metadata': {'type': 'json'},
} -%}

with

complete_records as (

    select
        * replace (
            if(
                shape = 'metric',
                {{ snake_case('metric_name') }},
                metric_name
            ) as metric_name,
            -- What a line says for all of its numbers stands beside the first.
            first_value(event_type) over numbers_of_line as event_type,
            first_value(metadata) over numbers_of_line as metadata,
            first_value(raw) over numbers_of_line as raw
        ),
    from {{ source('landing', 'optimization_summary') }}
    window
        numbers_of_line as (
            partition by day, version, line_number order by place
        )

),

type_cells as (

    select
        *,
        {{ type_cells(cells) }},
    from complete_records

)

select
    type_cells.at as occurred_at,
    {{ typed_cells(cells) }},
    source_file,
    line_number,
    raw,
    {{ reject_reason(cells) }} as reject_reason,
    day,
from type_cells
