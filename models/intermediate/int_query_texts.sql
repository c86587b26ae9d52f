with

query_log as (

    from {{ ref('stg_query_log') }}

),

group_by_hash as (

    select
        day,
        query_hash,
        reject_reason is not null as is_reject,
        -- As it was written first.
        arg_min(query, (executed_at, query)) as query_text,
        min(executed_at) as first_seen_at,
        max(executed_at) as last_seen_at,
        list(source_file) as source_files,
    from query_log
    group by day, query_hash, reject_reason is not null

),

-- Each record of a text is counted, but only one row carries it.
number_records as (

    select
        * exclude (source_files),
        unnest(range(len(source_files))) as occurrence,
        unnest(source_files) as source_file,
    from group_by_hash

)

select
    query_hash,
    if(occurrence = 0, query_text, null) as query_text,
    first_seen_at,
    last_seen_at,
    source_file,
    day,
    'query_log' as landing_source,
    case
        when is_reject then 'reject'
        when occurrence > 0 then 'duplicate'
        else 'published'
    end as outcome,
from number_records
