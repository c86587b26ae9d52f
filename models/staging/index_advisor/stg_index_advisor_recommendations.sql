{%- set cells = {
    'table_name': {'type': 'varchar', 'required': true},
    'index_name': {'type': 'varchar'},
    'column_name': {'type': 'varchar'},
    'create_index_sql': {'type': 'varchar'},
    'reason': {'type': 'varchar'},
    'query_pattern': {'type': 'varchar'},
    'estimated_speedup': {'type': 'double'},
    'estimated_cost': {'type': 'double'},
    'priority': {'type': 'varchar'},
    'estimated_impact': {'type': 'varchar'},
    'status': {'type': 'varchar'},
} -%}

with

take_elements as (

    select
        reported_at,
        source_file,
        raw as report_raw,
        reject_reason as report_problem,
        day,
        -- A report that could not be read counts as one record.
        unnest(
            if(reject_reason is null, recommendations, [null])
        ) as element,
    from {{ ref('stg_index_advisor_reports') }}

),

take_cells as (

    select
        reported_at,
        element ->> 'table' as table_name,
        element ->> 'index' as index_name,
        element ->> 'column' as column_name,
        element ->> 'sql' as create_index_sql,
        element ->> 'reason' as reason,
        element ->> 'query_pattern' as query_pattern,
        element ->> 'estimated_speedup' as estimated_speedup,
        element ->> 'estimated_cost' as estimated_cost,
        element ->> 'priority' as priority,
        element ->> 'estimated_impact' as estimated_impact,
        element ->> 'status' as status,
        source_file,
        coalesce(report_raw, element::varchar) as raw,
        coalesce(
            report_problem,
            if(
                json_type(element) = 'OBJECT',
                null,
                'recommendation is not an object'
            )
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
    reported_at,
    {{ typed_cells(cells) }},
    source_file,
    raw,
    {{ reject_reason(cells) }} as reject_reason,
    day,
from type_cells
