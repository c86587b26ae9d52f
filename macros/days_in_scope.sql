{#- A condition on `day` for the days that the published views show, written out
    so that DuckDB opens no landing file of any other. -#}
{%- macro days_in_scope() -%}
{%- set days = [] -%}
{%- if execute and target.name not in ('fleet', 'spark') -%}
    {%- set shown = 'select distinct day from '
        ~ source('publishing', 'published_days')
        ~ ' where day is not null order by day' -%}
    {%- for row in run_query(shown).rows -%}
        {%- do days.append("date '" ~ row[0] ~ "'") -%}
    {%- endfor -%}
{%- endif -%}
{{ 'day in (' ~ days | join(', ') ~ ')' if days else 'false' }}
{%- endmacro -%}
