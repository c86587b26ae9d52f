with

pull_advice as (

    select
        {{ machine() }} as machine,
        table_name,
        recommended_index,
        query_pattern,
        source_file,
        timestamp as reported_at
    from {{ ref('index_advisor') }}
    where timestamp <= {{ as_of() }}

),

pull_reports as (

    select distinct
        {{ machine() }} as machine,
        source_file,
        timestamp as reported_at
    from {{ ref('advisor_reports') }}
    where timestamp <= {{ as_of() }}

),

-- Each generator speaks for itself.
sum_by_generator as (

    select
        machine,
        table_name,
        recommended_index,
        source_file,
        min(reported_at) as first_seen,
        max(reported_at) as last_seen,
        count(distinct reported_at) as reports
    from pull_advice
    group by machine, table_name, recommended_index, source_file

),

find_next_reports as (

    select
        machine,
        source_file,
        reported_at,
        lead(reported_at) over (
            partition by machine, source_file
            order by reported_at
        ) as next_at
    from pull_reports

),

close_by_generator as (

    select
        advice.*,
        reports.next_at as closed_at
    from sum_by_generator as advice
    left join find_next_reports as reports
        on
            advice.machine = reports.machine
            and advice.source_file = reports.source_file
            and advice.last_seen = reports.reported_at

),

sum_advice as (

    select
        machine,
        table_name,
        recommended_index,
        min(first_seen) as first_seen,
        max(last_seen) as last_seen,
        sum(reports) as reports,
        count(*) > count(closed_at) as is_open,
        case when count(*) = count(closed_at) then max(closed_at) end
            as closed_at
    from close_by_generator
    group by machine, table_name, recommended_index

),

rank_patterns as (

    select
        machine,
        table_name,
        recommended_index,
        query_pattern,
        row_number() over (
            partition by machine, table_name, recommended_index
            order by reported_at desc, query_pattern asc, source_file asc
        ) as from_last
    from pull_advice
    where query_pattern is not null

),

pull_patterns as (

    select
        {{ machine() }} as machine,
        query_pattern,
        date_partition,
        p95_ms,
        samples
    from {{ ref('query_patterns') }}
    where
        period = 'daily'
        and samples > 0
        and p95_ms is not null
        and date_partition <= cast({{ as_of() }} as date)

),

-- The day of the closing itself is of neither side.
compare as (

    select
        advice.machine,
        advice.table_name,
        advice.recommended_index,
        {{ ordered_sum(
            'case when daily.date_partition < cast(advice.closed_at as date) '
            ~ 'then daily.p95_ms * daily.samples end'
        ) }} / sum(
            case
                when daily.date_partition < cast(advice.closed_at as date)
                    then daily.samples
            end
        ) as p95_before_ms,
        {{ ordered_sum(
            'case when daily.date_partition > cast(advice.closed_at as date) '
            ~ 'then daily.p95_ms * daily.samples end'
        ) }} / sum(
            case
                when daily.date_partition > cast(advice.closed_at as date)
                    then daily.samples
            end
        ) as p95_after_ms
    from sum_advice as advice
    inner join rank_patterns as patterns
        on
            advice.machine = patterns.machine
            and advice.table_name is not distinct from patterns.table_name
            and advice.recommended_index
            is not distinct from patterns.recommended_index
            and patterns.from_last = 1
    inner join pull_patterns as daily
        on
            patterns.machine = daily.machine
            and patterns.query_pattern = daily.query_pattern
    where
        abs({{ days_between(
            'cast(advice.closed_at as date)', 'daily.date_partition'
        ) }}) <= {{ var('advice_effect_days') }}
    group by advice.machine, advice.table_name, advice.recommended_index

)

select
    advice.machine,
    advice.table_name,
    advice.recommended_index,
    advice.first_seen,
    advice.last_seen,
    cast(advice.reports as bigint) as reports,
    advice.is_open,
    advice.closed_at,
    patterns.query_pattern,
    compare.p95_before_ms,
    compare.p95_after_ms,
    compare.p95_after_ms / nullif(compare.p95_before_ms, 0) as effect_ratio
from sum_advice as advice
left join rank_patterns as patterns
    on
        advice.machine = patterns.machine
        and advice.table_name is not distinct from patterns.table_name
        and advice.recommended_index
        is not distinct from patterns.recommended_index
        and patterns.from_last = 1
left join compare
    on
        advice.machine = compare.machine
        and advice.table_name is not distinct from compare.table_name
        and advice.recommended_index
        is not distinct from compare.recommended_index
