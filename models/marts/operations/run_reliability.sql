with

periods as (

    select
        '7d' as period,
        {{ add_seconds(as_of(), -86400 * 7) }} as period_start
    union all
    select
        '30d' as period,
        {{ add_seconds(as_of(), -86400 * 30) }} as period_start

),

count_runs as (

    select
        runs.machine,
        periods.period,
        sum(case when runs.started_at > periods.period_start then 1 else 0 end)
            as runs,
        sum(
            case
                when runs.started_at > periods.period_start and runs.is_success
                    then 1
                else 0
            end
        ) as successful_runs,
        max(runs.started_at) as last_run_at,
        max(case when runs.is_success then runs.started_at end)
            as last_success_at
    from {{ ref('export_runs') }} as runs
    cross join periods
    group by runs.machine, periods.period

)

select
    machine,
    period,
    cast(runs as bigint) as runs,
    cast(successful_runs as bigint) as successful_runs,
    successful_runs / nullif(cast(runs as double), 0) as success_rate,
    last_run_at,
    last_success_at
from count_runs
