{#- A report without a readable duration is a heartbeat all the same. -#}
{%- set cells = {'duration_ms': {'type': 'bigint', 'or_null': true}} -%}

with

take_figures as (

    select
        *,
        regexp_extract(trim(duration_text), '(?i)^(.*)ms$', 1) as duration_ms,
    from {{ source('landing', 'heartbeats') }}

),

type_cells as (

    select
        *,
        {{ type_cells(cells) }},
    from take_figures

)

select
    filename,
    type_cells.at as reported_at,
    {{ heartbeat_status(without_mark('status_text')) }} as status,
    {{ typed_cells(cells) }},
    fields,
    check_groups,
    raw,
    {{ reject_reason(cells) }} as reject_reason,
    day,
from type_cells
