-- Conservation: what ingest counted as landed is published, collapsed into a
-- record of the same content, or rejected. Only days that were published from
-- what is landed now can be held against it.

-- depends_on: {{ ref('ops_atomic') }}, {{ ref('heartbeat_checks') }}
-- depends_on: {{ ref('query_perf') }}, {{ ref('query_patterns') }}
-- depends_on: {{ ref('index_advisor') }}, {{ ref('optimization_summary') }}
-- depends_on: {{ ref('advisor_reports') }}, {{ ref('report_checks') }}
{%- set days = days_in_scope() %}
{%- set with_rejects = [] if not execute else (
    graph.nodes.values()
    | selectattr('resource_type', 'eq', 'model')
    | selectattr('name', 'eq', 'rejected_records')
    | first
).config.meta.accounts_for %}

with

landed as (

    select
        dataset,
        day,
        sum(landed_records) as landed_records,
    from {{ source('landing', 'landed_days') }}
    -- Names that are looked at for drift are no records.
    where dataset != 'schema_drift'
    group by dataset, day

),

published as (

    select
        dataset,
        day,
        row_count,
        landed_records,
    from {{ source('publishing', 'published_days') }}
    where not keeps_rows

),

rejected as (

    select
        dataset,
        date_partition as day,
        count(*) as rejected_rows,
    from {{ ref('rejected_records') }}
    group by dataset, date_partition

),

duplicates as (

    select
        'ops_atomic' as dataset,
        day,
        count(*) as duplicate_rows,
    from {{ ref('int_heartbeats') }}
    where outcome = 'duplicate' and {{ days }}
    group by day
    union all
    select
        'query_patterns' as dataset,
        day,
        count(*) as duplicate_rows,
    from {{ ref('int_query_patterns') }}
    where outcome = 'duplicate' and {{ days }}
    group by day
    union all
    select
        'optimization_summary' as dataset,
        day,
        count(*) as duplicate_rows,
    from {{ ref('int_optimization_events') }}
    where outcome = 'duplicate' and {{ days }}
    group by day

),

days_with_current_rejects as (

    select published.day,
    from published
    inner join landed
        on published.day = landed.day
    where
        published.dataset = 'rejected_records'
        and landed.dataset in (
            {%- for dataset in with_rejects %}
                '{{ dataset }}'{{ ',' if not loop.last }}
            {%- endfor %}
        )
    group by published.day
    having any_value(published.landed_records) = sum(landed.landed_records)

)

select
    landed.dataset,
    landed.day,
    landed.landed_records,
    published.row_count as published_rows,
    coalesce(rejected.rejected_rows, 0) as rejected_rows,
    coalesce(duplicates.duplicate_rows, 0) as duplicate_rows,
from landed
inner join published
    on
        landed.dataset = published.dataset
        and landed.day = published.day
        and landed.landed_records = published.landed_records
inner join days_with_current_rejects
    on landed.day = days_with_current_rejects.day
left join rejected
    on landed.dataset = rejected.dataset and landed.day = rejected.day
left join duplicates
    on landed.dataset = duplicates.dataset and landed.day = duplicates.day
where
    landed.landed_records
    != published.row_count
    + coalesce(rejected.rejected_rows, 0)
    + coalesce(duplicates.duplicate_rows, 0)
