with

heartbeats as (

    from {{ ref('int_heartbeats') }}
    where outcome = 'reject'

),

queries as (

    from {{ ref('int_queries') }}
    where outcome = 'reject'

),

query_patterns as (

    from {{ ref('int_query_patterns') }}
    where outcome = 'reject'

),

index_advisor as (

    from {{ ref('int_index_advisor') }}
    where outcome = 'reject'

),

optimization_events as (

    from {{ ref('int_optimization_events') }}
    where outcome = 'reject'

),

union_rejects as (

    select
        'ops_atomic' as dataset,
        filename as source_file,
        null as line_number,
        raw,
        reject_reason,
        day,
    from heartbeats
    union all
    select
        'query_perf' as dataset,
        source_file,
        line_number,
        raw,
        reject_reason,
        day,
    from queries
    union all
    select
        'query_patterns' as dataset,
        source_file,
        line_number,
        raw,
        reject_reason,
        day,
    from query_patterns
    union all
    select
        'index_advisor' as dataset,
        source_file,
        null as line_number,
        raw,
        reject_reason,
        day,
    from index_advisor
    union all
    select
        'optimization_summary' as dataset,
        source_file,
        line_number,
        raw,
        reject_reason,
        day,
    from optimization_events

)

from union_rejects
