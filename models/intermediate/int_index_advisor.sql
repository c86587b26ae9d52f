{#- CREATE [UNIQUE] INDEX [IF NOT EXISTS] [schema.]name ON …, quoted or not -#}
{%- set identifier -%}
"(?:[^"]|"")+"|`[^`]+`|\[[^\]]+\]|[\w$]+
{%- endset -%}
{%- set create_index -%}
(?is)^\s*create\s+(?:unique\s+)?index\s+(?:concurrently\s+)?
{%- endset -%}
{%- set index_name -%}
(?:if\s+not\s+exists\s+)?(?:(?:{{ identifier }})\s*\.\s*)*({{ identifier }})\s*\bon\b
{%- endset -%}

with

recommendations as (

    select * from {{ ref('stg_index_advisor_recommendations') }}

),

name_index_of_sql as (

    select
        *,
        replace(
            regexp_replace(
                regexp_extract(create_index_sql, '{{ create_index ~ index_name }}', 1),
                '^["`\[](.*)["`\]]$', '\1'
            ),
            '""', '"'
        ) as index_name_of_sql,
    from recommendations

)

select
    reported_at,
    table_name,
    coalesce(
        index_name,
        nullif(index_name_of_sql, ''),
        'idx_' || table_name || '_' || column_name
    ) as recommended_index,
    query_pattern,
    estimated_speedup,
    estimated_cost,
    coalesce(priority, estimated_impact) as priority,
    coalesce(status, 'pending') as status,
    source_file,
    raw,
    reject_reason,
    day,
    if(reject_reason is null, 'published', 'reject') as outcome,
from name_index_of_sql
