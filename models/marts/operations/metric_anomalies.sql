with

sum_hours as (

    select
        {{ machine() }} as machine,
        {{ start_of('hour', 'timestamp') }} as observed_at,
        {{ median_of('duration_ms') }} as value
    from {{ ref('ops_atomic') }}
    where
        duration_ms is not null
        and {{ within_history() }}
        and timestamp <= {{ as_of() }}
    group by {{ machine() }}, {{ start_of('hour', 'timestamp') }}

),

observations as (

    select
        machine,
        'heartbeat_duration_ms' as metric,
        'all' as series,
        'hour' as grain,
        observed_at,
        value
    from sum_hours
    union all
    select
        machine,
        metric,
        series,
        'day' as grain,
        cast(date_partition as timestamp) as observed_at,
        value
    from {{ ref('int_daily_metrics') }}
    where metric in ('rows', 'rejected_rows', 'query_p95_ms')

),

-- What an observation is compared with: each of the last days, or the same hour
-- of each of the last weeks.
offsets as (

    select
        steps.grain,
        steps.seconds_back
    from (
        values
        {{ steps_back('day', 86400, var('anomaly_days')) }},
        {{ steps_back('hour', 604800, var('anomaly_weeks')) }}
    ) as steps (grain, seconds_back)

),

compared_times as (

    select
        now.machine,
        now.metric,
        now.series,
        now.observed_at,
        {{ add_seconds('now.observed_at', '-offsets.seconds_back') }}
            as before_at
    from observations as now
    inner join offsets on now.grain = offsets.grain

),

pairs as (

    select
        now.machine,
        now.metric,
        now.series,
        now.observed_at,
        earlier.value as earlier_value
    from compared_times as now
    inner join observations as earlier
        on
            now.machine = earlier.machine
            and now.metric = earlier.metric
            and now.series = earlier.series
            and now.before_at = earlier.observed_at

),

find_medians as (

    select
        machine,
        metric,
        series,
        observed_at,
        count(*) as history,
        {{ median_of('earlier_value') }} as expected
    from pairs
    group by machine, metric, series, observed_at

),

find_deviations as (

    select
        pairs.machine,
        pairs.metric,
        pairs.series,
        pairs.observed_at,
        {{ median_of('abs(pairs.earlier_value - medians.expected)') }} as mad
    from pairs
    inner join find_medians as medians
        on
            pairs.machine = medians.machine
            and pairs.metric = medians.metric
            and pairs.series = medians.series
            and pairs.observed_at = medians.observed_at
    group by pairs.machine, pairs.metric, pairs.series, pairs.observed_at

),

score as (

    select
        now.machine,
        now.metric,
        now.series,
        now.grain,
        now.observed_at,
        now.value,
        coalesce(medians.history, 0) as history,
        medians.expected,
        deviations.mad,
        case
            when
                medians.history >= case now.grain
                    when 'hour' then {{ var('anomaly_least_weeks') }}
                    else {{ var('anomaly_least_days') }}
                end
                then
                    (now.value - medians.expected)
                    -- A flat series has no spread of its own.
                    / greatest(
                        1.4826e0 * deviations.mad,
                        5e-2 * abs(medians.expected),
                        1e0
                    )
        end as robust_z
    from observations as now
    left join find_medians as medians
        on
            now.machine = medians.machine
            and now.metric = medians.metric
            and now.series = medians.series
            and now.observed_at = medians.observed_at
    left join find_deviations as deviations
        on
            now.machine = deviations.machine
            and now.metric = deviations.metric
            and now.series = deviations.series
            and now.observed_at = deviations.observed_at

)

select
    machine,
    metric,
    series,
    grain,
    observed_at,
    value,
    expected,
    mad,
    cast(history as bigint) as history,
    robust_z,
    coalesce(abs(robust_z) >= {{ var('anomaly_z') }}, false) as is_anomaly
from score
