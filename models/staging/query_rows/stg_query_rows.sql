{%- set types = {
    'timestamp': 'TIMESTAMP',
    'execution_time_ms': 'DOUBLE',
    'rows_examined': 'BIGINT',
    'rows_returned': 'BIGINT',
    'cache_hit': 'BOOLEAN',
    'cpu_time_ms': 'DOUBLE',
    'io_wait_ms': 'DOUBLE',
} -%}

select
    {{ utc_timestamp('timestamp') }} as executed_at,
    {{ filled('query_hash') }} as query_hash,
    {{ filled('query_type') }} as query_type,
    {{ to_double('execution_time_ms') }} as execution_time_ms,
    {{ to_bigint('rows_examined') }} as rows_examined,
    {{ to_bigint('rows_returned') }} as rows_returned,
    {{ to_boolean('cache_hit') }} as is_cache_hit,
    {{ filled('table_name') }} as table_name,
    {{ filled('index_used') }} as index_used,
    {{ to_double('cpu_time_ms') }} as cpu_time_ms,
    {{ to_double('io_wait_ms') }} as io_wait_ms,
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
    {{ reject_reason(
        required=['timestamp', 'query_hash', 'execution_time_ms'],
        typed=types,
    ) }} as reject_reason,
    day,
from {{ source('landing', 'query_rows') }}
