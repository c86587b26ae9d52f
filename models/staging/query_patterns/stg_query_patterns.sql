{%- set cells = {
    'pattern': {'type': 'varchar', 'required': true, 'as': 'query_pattern'},
    'samples': {'type': 'bigint'},
    'avg_ms': {'type': 'double'},
    'p50_ms': {'type': 'double'},
    'p95_ms': {'type': 'double'},
    'p99_ms': {'type': 'double'},
    'slow_flag': {'type': 'boolean', 'as': 'is_slow'},
} -%}

with

type_cells as (

    select
        *,
        {{ type_cells(cells) }},
    from {{ source('landing', 'query_patterns') }}

)

select
    regexp_extract(source_file, '^query_perf_(daily|weekly)_', 1) as period,
    {{ typed_cells(cells) }},
    source_file,
    regexp_extract(source_file, '^(.*)\.', 1) as report_name,
    source_file like '%.csv' as is_csv,
    line_number,
    coalesce(raw, {{ joined_cells(cells) }}) as raw,
    {{ reject_reason(cells) }} as reject_reason,
    day,
from type_cells
