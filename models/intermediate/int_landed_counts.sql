with

record_outcomes as (

    from {{ ref('int_record_outcomes') }}

),

checks as (

    from {{ ref('stg_heartbeat_checks') }}

),

reports as (

    from {{ ref('stg_index_advisor_reports') }}
    where reject_reason is null

),

query_texts as (

    from {{ ref('int_query_texts') }}

),

landed_bytes as (

    from {{ source('publishing', 'landed_bytes') }}

),

published_days as (

    from {{ source('publishing', 'published_days') }}

),

-- What cannot be rejected by itself is not among the outcomes. Lines of the
-- log are landed as records of query_perf: texts are told, not audited again.
union_records as (

    select
        day,
        landing_source,
        dataset,
        source_file,
        outcome,
        true as is_audited,
    from record_outcomes
    union all
    select
        day,
        'heartbeats' as landing_source,
        'heartbeat_checks' as dataset,
        filename as source_file,
        'published' as outcome,
        true as is_audited,
    from checks
    union all
    select
        day,
        'index_advisor' as landing_source,
        'advisor_reports' as dataset,
        source_file,
        'published' as outcome,
        true as is_audited,
    from reports
    union all
    select
        day,
        landing_source,
        'query_texts' as dataset,
        source_file,
        outcome,
        false as is_audited,
    from query_texts

),

count_records as (

    select
        day,
        landing_source,
        dataset,
        is_audited,
        count(*) as landed_records,
        count(*) filter (outcome = 'published') as published_records,
        count(*) filter (outcome = 'duplicate') as duplicate_records,
        count(*) filter (outcome = 'reject') as rejected_records,
        count(distinct source_file) as input_files,
    from union_records
    group by day, landing_source, dataset, is_audited

),

add_sizes as (

    select
        counts.*,
        coalesce(landed_bytes.source_bytes, 0) as source_bytes,
        published_days.parquet_bytes,
    from count_records as counts
    left join landed_bytes
        on
            counts.landing_source = landed_bytes.source
            and counts.day = landed_bytes.day
    left join published_days
        on
            counts.dataset = published_days.dataset
            and counts.day = published_days.day

),

-- Each record is counted by the audit, but only one row is published for all.
number_records as (

    select
        *,
        unnest(range(if(is_audited, landed_records, 1))) as occurrence,
    from add_sizes

)

select
    * exclude (landing_source, is_audited, occurrence),
    landing_source as source_name,
    if(is_audited, landing_source, null) as landing_source,
    if(occurrence = 0, 'published', 'counted') as outcome,
from number_records
