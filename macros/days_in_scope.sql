{#- A condition on `day` that DuckDB can use to leave out landing files: from
    the first to the last day that the published views show. -#}
{%- macro days_in_scope() -%}
{%- if execute -%}
    {%- set published = run_query(
        'select min(day), max(day) from ' ~ source('publishing', 'published_days')
    ).rows[0] -%}
{%- endif -%}
{%- if published and published[0] -%}
day between date '{{ published[0] }}' and date '{{ published[1] }}'
{%- else -%}
false
{%- endif -%}
{%- endmacro -%}
