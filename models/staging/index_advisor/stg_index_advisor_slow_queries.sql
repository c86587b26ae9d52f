{%- set cells = {
    'pattern': {'type': 'varchar', 'required': true, 'as': 'query_pattern'},
    'samples': {'type': 'bigint'},
    'avg_ms': {'type': 'double'},
    'p50_ms': {'type': 'double'},
    'p95_ms': {'type': 'double'},
    'p99_ms': {'type': 'double'},
} -%}

with

take_elements as (

    select
        is_last_of_day,
        source_file,
        day,
        unnest(slow_queries) as element,
        generate_subscripts(slow_queries, 1) as position,
    from {{ ref('stg_index_advisor_reports') }}
    where reject_reason is null

),

take_cells as (

    select
        is_last_of_day,
        position,
        element ->> 'pattern' as pattern,
        element ->> 'samples' as samples,
        {%- for figure in ['avg', 'p50', 'p95', 'p99'] %}
            coalesce(
                element ->> '{{ figure }}_ms', element ->> '{{ figure }}'
            ) as {{ figure }}_ms,
        {%- endfor %}
        source_file,
        element::varchar as raw,
        if(
            json_type(element) = 'OBJECT', null, 'slow query is not an object'
        ) as problem,
        day,
    from take_elements

),

type_cells as (

    select
        *,
        {{ type_cells(cells) }},
    from take_cells

)

select
    is_last_of_day,
    position,
    {{ typed_cells(cells) }},
    source_file,
    raw,
    {{ reject_reason(cells) }} as reject_reason,
    day,
from type_cells
