{%- set cells = {
    'query': {'type': 'varchar', 'required': true},
    'execution_time_ms': {'type': 'double', 'required': true},
    'rows_returned': {'type': 'bigint'},
    'cache_hit': {'type': 'boolean', 'as': 'is_cache_hit'},
} -%}

with

merge_shapes as (

    select
        *,
        trim(regexp_replace(query, '\s+', ' ', 'g')) as normal_query,
        coalesce({{ filled('duration_ms') }}, total_ms) as execution_time_ms,
        result_count as rows_returned,
    from {{ source('landing', 'query_log') }}

),

take_first_words as (

    select
        *,
        upper(
            regexp_extract(normal_query, '(?i)^([a-z]+)(?:[ (*;]|$)', 1)
        ) as first_word,
    from merge_shapes

),

type_cells as (

    select
        *,
        {{ type_cells(cells) }},
    from take_first_words

)

select
    type_cells.at as executed_at,
    left(md5(lower(normal_query)), 12) as query_hash,
    case
        when
            first_word in (
                'ALTER', 'ANALYZE', 'ATTACH', 'BEGIN', 'COMMIT', 'CREATE',
                'DELETE', 'DETACH', 'DROP', 'EXPLAIN', 'GRANT', 'INSERT',
                'MERGE', 'PRAGMA', 'REINDEX', 'REPLACE', 'REVOKE', 'ROLLBACK',
                'SAVEPOINT', 'SELECT', 'TRUNCATE', 'UPDATE', 'VACUUM',
                'VALUES', 'WITH'
            )
            then first_word
        else 'SEARCH'
    end as query_type,
    {{ typed_cells(cells) }},
    source_file,
    line_number,
    raw,
    {{ reject_reason(cells) }} as reject_reason,
    day,
from type_cells
