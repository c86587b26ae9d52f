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

)

select
    is_last_of_day,
    position,
    {{ filled('pattern') }} as query_pattern,
    {{ to_bigint('samples') }} as samples,
    {{ to_double('avg_ms') }} as avg_ms,
    {{ to_double('p50_ms') }} as p50_ms,
    {{ to_double('p95_ms') }} as p95_ms,
    {{ to_double('p99_ms') }} as p99_ms,
    source_file,
    raw,
    {{ reject_reason(
        required=['pattern'],
        typed={
            'samples': 'BIGINT',
            'avg_ms': 'DOUBLE',
            'p50_ms': 'DOUBLE',
            'p95_ms': 'DOUBLE',
            'p99_ms': 'DOUBLE',
        },
    ) }} as reject_reason,
    day,
from take_cells
