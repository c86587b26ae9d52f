{%- set datasets = [
    ref('ops_atomic'), ref('heartbeat_checks'), ref('query_perf'),
    ref('query_patterns'), ref('index_advisor'), ref('optimization_summary'),
    ref('advisor_reports'), ref('query_texts'), ref('report_checks'),
    ref('run_log'), ref('landed_counts'),
    ref('rejected_records'), ref('schema_drift'),
] -%}

with

count_shown as (

    {% for dataset in datasets %}
        select
            '{{ dataset.identifier }}' as dataset,
            count(*) as shown_rows,
        from {{ dataset }}
        {{ 'union all' if not loop.last }}
    {% endfor %}

),

count_published as (

    select
        dataset,
        sum(row_count) as published_rows,
    from {{ source('publishing', 'published_days') }}
    group by dataset

)

select
    count_shown.dataset,
    count_shown.shown_rows,
    coalesce(count_published.published_rows, 0) as published_rows,
from count_shown
left join count_published
    on count_shown.dataset = count_published.dataset
where count_shown.shown_rows != coalesce(count_published.published_rows, 0)
