with

heartbeats as (

    from {{ ref('int_heartbeats') }}

),

legacy_rows_of_others as (

    from {{ ref('stg_legacy_parquet') }}
    where dataset != 'ops_atomic'

),

queries as (

    from {{ ref('int_queries') }}

),

query_patterns as (

    from {{ ref('int_query_patterns') }}

),

index_advisor as (

    from {{ ref('int_index_advisor') }}

),

optimization_events as (

    from {{ ref('int_optimization_events') }}

),

report_checks as (

    from {{ ref('int_report_checks') }}

),

union_records as (

    select
        'ops_atomic' as dataset,
        source_file,
        line_number,
        raw,
        reject_reason,
        day,
        landing_source,
        outcome,
    from heartbeats
    union all
    select
        dataset,
        source_file,
        line_number,
        raw,
        reject_reason,
        day,
        'legacy_parquet' as landing_source,
        'reject' as outcome,
    from legacy_rows_of_others
    union all
    select
        'query_perf' as dataset,
        source_file,
        line_number,
        raw,
        reject_reason,
        day,
        landing_source,
        outcome,
    from queries
    union all
    select
        'query_patterns' as dataset,
        source_file,
        line_number,
        raw,
        reject_reason,
        day,
        landing_source,
        outcome,
    from query_patterns
    union all
    select
        'index_advisor' as dataset,
        source_file,
        null as line_number,
        raw,
        reject_reason,
        day,
        landing_source,
        outcome,
    from index_advisor
    union all
    select
        'optimization_summary' as dataset,
        source_file,
        line_number,
        raw,
        reject_reason,
        day,
        landing_source,
        outcome,
    from optimization_events
    union all
    select
        'report_checks' as dataset,
        filename as source_file,
        null as line_number,
        raw,
        reject_reason,
        day,
        landing_source,
        outcome,
    from report_checks

)

-- What is no reject comes along to be counted, with no more than its file.
select
    dataset,
    source_file,
    if(outcome = 'reject', line_number, null) as line_number,
    if(outcome = 'reject', raw, null) as raw,
    reject_reason,
    day,
    landing_source,
    outcome,
from union_records
