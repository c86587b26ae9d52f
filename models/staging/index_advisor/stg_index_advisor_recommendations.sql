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

)

select
    reported_at,
    {{ filled('table_name') }} as table_name,
    {{ filled('index_name') }} as index_name,
    {{ filled('column_name') }} as column_name,
    create_index_sql,
    {{ filled('query_pattern') }} as query_pattern,
    {{ to_double('estimated_speedup') }} as estimated_speedup,
    {{ to_double('estimated_cost') }} as estimated_cost,
    {{ filled('priority') }} as priority,
    {{ filled('estimated_impact') }} as estimated_impact,
    {{ filled('status') }} as status,
    source_file,
    raw,
    {{ reject_reason(
        required=['table_name'],
        typed={'estimated_speedup': 'DOUBLE', 'estimated_cost': 'DOUBLE'},
    ) }} as reject_reason,
    day,
from take_cells
