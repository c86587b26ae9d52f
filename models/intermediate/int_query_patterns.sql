with

reported_patterns as (

    from {{ ref('stg_query_patterns') }}

),

slow_queries as (

    from {{ ref('stg_index_advisor_slow_queries') }}

),

find_twins as (

    select
        *,
        -- A CSV of which nothing can be read does not beat its twin.
        not is_csv and bool_or(is_csv and reject_reason is null) over (
            partition by day, report_name
        ) as is_superseded,
    from reported_patterns

),

union_reports_and_advisor as (

    select
        period,
        query_pattern,
        samples,
        avg_ms,
        p50_ms,
        p95_ms,
        p99_ms,
        is_slow,
        source_file,
        line_number as position,
        if(is_csv, line_number, null) as line_number,
        is_superseded,
        raw,
        reject_reason,
        day,
        'query_patterns' as landing_source,
    from find_twins
    union all
    select
        'advisor' as period,
        query_pattern,
        samples,
        avg_ms,
        p50_ms,
        p95_ms,
        p99_ms,
        true as is_slow,
        source_file,
        position,
        null as line_number,
        not is_last_of_day as is_superseded,
        raw,
        reject_reason,
        day,
        'index_advisor' as landing_source,
    from slow_queries

),

number_occurrences as (

    select
        *,
        row_number() over (
            partition by
                day, period, source_file, is_superseded, query_pattern,
                reject_reason is null
            order by position
        ) as occurrence,
    from union_reports_and_advisor

),

reject_repeated_patterns as (

    select
        * replace (
            case
                when reject_reason is not null then reject_reason
                when not is_superseded and occurrence > 1
                    then 'pattern occurs twice in the file'
            end as reject_reason
        ),
    from number_occurrences

)

select
    * exclude (is_superseded, occurrence),
    case
        when reject_reason is not null then 'reject'
        when is_superseded then 'duplicate'
        else 'published'
    end as outcome,
from reject_repeated_patterns
