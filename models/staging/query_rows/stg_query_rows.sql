{%- set cells = {
    'timestamp': {'type': 'timestamp', 'required': true, 'as': 'executed_at'},
    'query_hash': {'type': 'varchar', 'required': true},
    'query_type': {'type': 'varchar'},
    'execution_time_ms': {'type': 'double', 'required': true},
    'rows_examined': {'type': 'bigint'},
    'rows_returned': {'type': 'bigint'},
    'cache_hit': {'type': 'boolean', 'as': 'is_cache_hit'},
    'table_name': {'type': 'varchar'},
    'index_used': {'type': 'varchar'},
    'cpu_time_ms': {'type': 'double'},
    'io_wait_ms': {'type': 'double'},
} -%}

with

type_cells as (

    select
        *,
        {{ type_cells(cells) }},
    from {{ source('landing', 'query_rows') }}

)

select
    {{ typed_cells(cells) }},
    source_file,
    line_number,
    coalesce(
        raw,
        {{ joined_cells([
            'timestamp', 'query_hash', 'query_type', 'execution_time_ms',
            'rows_examined', 'rows_returned', 'cache_hit', 'table_name',
            'index_used',
        ]) }}
        || coalesce(',' || cpu_time_ms || ',' || io_wait_ms, '')
    ) as raw,
    {{ reject_reason(cells) }} as reject_reason,
    day,
from type_cells
