{%- set today = 'cast(' ~ as_of() ~ ' as date)' -%}
{%- set after_from = add_days(today, -var('regression_days')) -%}
{%- set before_from = add_days(
    today, -(var('regression_days') + var('regression_baseline_days'))
) -%}
{%- set more = var('regression_ratio') -%}
{%- set least = var('regression_executions') -%}

with

pull_queries as (

    select
        {{ machine() }} as machine,
        query_hash,
        execution_time_ms,
        date_partition >= {{ after_from }} as is_after
    from {{ ref('query_perf') }}
    where
        date_partition >= {{ before_from }}
        and date_partition < {{ today }}
        and timestamp <= {{ as_of() }}

),

rank_queries as (

    select
        *,
        row_number() over (
            partition by machine, query_hash, is_after
            order by execution_time_ms
        ) as place,
        count(*) over (
            partition by machine, query_hash, is_after
        ) as executions
    from pull_queries

),

-- Exact, over all executions of the days.
sum_queries as (

    select
        machine,
        'query' as kind,
        query_hash as query_key,
        {{ quantile_of_places(
            'case when not is_after then execution_time_ms end',
            'place', 'executions', 0.95
        ) }} as p95_before_ms,
        {{ quantile_of_places(
            'case when is_after then execution_time_ms end',
            'place', 'executions', 0.95
        ) }} as p95_after_ms,
        sum(case when is_after then 0 else 1 end) as executions_before,
        sum(case when is_after then 1 else 0 end) as executions_after
    from rank_queries
    group by machine, query_hash

),

-- Of patterns only each day's p95 is known: the mean of these, each weighted by
-- its samples.
pull_patterns as (

    select
        {{ machine() }} as machine,
        query_pattern,
        p95_ms,
        samples,
        date_partition >= {{ after_from }} as is_after
    from {{ ref('query_patterns') }}
    where
        period = 'daily'
        and samples > 0
        and p95_ms is not null
        and date_partition >= {{ before_from }}
        and date_partition < {{ today }}

),

sum_patterns as (

    select
        machine,
        'pattern' as kind,
        query_pattern as query_key,
        {{ ordered_sum('case when not is_after then p95_ms * samples end') }}
        / sum(case when not is_after then samples end) as p95_before_ms,
        {{ ordered_sum('case when is_after then p95_ms * samples end') }}
        / sum(case when is_after then samples end) as p95_after_ms,
        sum(case when is_after then 0 else samples end) as executions_before,
        sum(case when is_after then samples else 0 end) as executions_after
    from pull_patterns
    group by machine, query_pattern

),

compare as (

    select
        *,
        p95_after_ms / nullif(p95_before_ms, 0) as ratio,
        sum(executions_before) over (partition by machine, kind)
            as all_before,
        sum(executions_after) over (partition by machine, kind) as all_after
    from (
        select * from sum_queries
        union all
        select * from sum_patterns
    ) as both_kinds

)

select
    machine,
    kind,
    query_key,
    p95_before_ms,
    p95_after_ms,
    ratio,
    cast(executions_before as bigint) as executions_before,
    cast(executions_after as bigint) as executions_after,
    case
        -- Nothing was recorded at all: that says nothing of any query.
        when all_before = 0 or all_after = 0 then 'too_few'
        when executions_before = 0 then 'new'
        when executions_after = 0 then 'gone'
        when least(executions_before, executions_after) < {{ least }}
            then 'too_few'
        when abs(p95_after_ms - p95_before_ms) < {{ var('regression_min_ms') }}
            then 'stable'
        when p95_after_ms > p95_before_ms * {{ more }} then 'regressed'
        when p95_after_ms * {{ more }} < p95_before_ms then 'improved'
        else 'stable'
    end as verdict
from compare
