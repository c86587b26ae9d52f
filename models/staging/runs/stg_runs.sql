{%- set cells = {
    'started_at': {'type': 'timestamp'},
    'ended_at': {'type': 'timestamp'},
    'duration_s': {'type': 'double'},
    'command': {'type': 'varchar'},
    'started_by': {'type': 'varchar'},
    'machine': {'type': 'varchar'},
    'version': {'type': 'varchar'},
    'status': {'type': 'varchar'},
    'stopped': {'type': 'varchar'},
    'exit_code': {'type': 'bigint'},
    'landed_records': {'type': 'bigint'},
    'exported_files': {'type': 'bigint'},
    'skipped_files': {'type': 'bigint'},
    'failed_files': {'type': 'bigint'},
    'exported_rows': {'type': 'bigint'},
    'rejected_rows': {'type': 'bigint'},
    'source_bytes': {'type': 'bigint'},
    'parquet_bytes': {'type': 'bigint'},
    'warnings': {'type': 'bigint'},
    'errors': {'type': 'bigint'},
    'first_error': {'type': 'varchar'},
} -%}

with

type_cells as (

    select
        *,
        {{ type_cells(cells) }},
    from {{ source('state', 'runs') }}

)

-- Versions before knew less of a run: what they lack is NULL.
select
    {{ typed_cells(cells) }},
    day,
from type_cells
