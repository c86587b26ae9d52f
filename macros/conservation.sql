{#- Days of datasets of which not just as many records are published, as rows or as
    rejects, as ingest counted as landed; only such as were published from what is
    landed now. Most of the others are duplicates. -#}
{%- macro days_not_all_published() -%}
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
where
    landed.landed_records
    != published.row_count + coalesce(rejected.rejected_rows, 0)
{%- endmacro -%}


{#- The days of a query's rows as SQL, by dataset. -#}
{%- macro days_by_dataset(query) -%}
{%- set days = {} -%}
{%- if execute -%}
    {%- for row in run_query('select dataset, day from (' ~ query ~ ')').rows -%}
        {%- do days.setdefault(row[0], []).append("date '" ~ row[1] ~ "'") -%}
    {%- endfor -%}
{%- endif -%}
{{ return(days) }}
{%- endmacro -%}
