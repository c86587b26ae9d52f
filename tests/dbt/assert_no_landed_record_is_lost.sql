-- Conservation: what ingest counted as landed is published, collapsed into a
-- record of the same content, or rejected. Only days that were published from
-- what is landed now can be held against it.

-- depends_on: {{ ref('ops_atomic') }}, {{ ref('heartbeat_checks') }}
-- depends_on: {{ ref('query_perf') }}, {{ ref('query_patterns') }}
-- depends_on: {{ ref('index_advisor') }}, {{ ref('optimization_summary') }}
-- depends_on: {{ ref('advisor_reports') }}, {{ ref('report_checks') }}
{%- set models = {
    'ops_atomic': 'int_heartbeats',
    'query_patterns': 'int_query_patterns',
    'optimization_summary': 'int_optimization_events',
} %}
{#- To find duplicates takes all models of a source: they are looked for where
    something is to be found, on days by their names, so that DuckDB opens no
    landing file of any other. #}
{%- set days = days_by_dataset(days_not_all_published()) %}

with

not_all_published as (

    {{ days_not_all_published() }}

),

duplicates as (

    {%- for dataset, model in models.items()
        if dataset in days or not execute %}
        select
            '{{ dataset }}' as dataset,
            day,
            count(*) as duplicate_rows,
        from {{ ref(model) }}
        where
            outcome = 'duplicate'
            and day in ({{ days.get(dataset, ['null']) | join(', ') }})
        group by day
        union all
    {%- endfor %}
    select
        null::varchar as dataset,
        null::date as day,
        0 as duplicate_rows,
    where false

)

select
    not_all_published.dataset,
    not_all_published.day,
    not_all_published.landed_records,
    not_all_published.published_rows,
    not_all_published.rejected_rows,
    coalesce(duplicates.duplicate_rows, 0) as duplicate_rows,
from not_all_published
left join duplicates
    on
        not_all_published.dataset = duplicates.dataset
        and not_all_published.day = duplicates.day
where
    not_all_published.landed_records
    != not_all_published.published_rows
    + not_all_published.rejected_rows
    + coalesce(duplicates.duplicate_rows, 0)
