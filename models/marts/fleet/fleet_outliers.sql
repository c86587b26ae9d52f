{%- set today = 'cast(' ~ as_of() ~ ' as date)' -%}
{%- set first_day = add_days(today, -var('outlier_days')) -%}

with

list_values as (

    select
        {{ machine() }} as machine,
        'heartbeat_duration_ms' as metric,
        {{ median_of('duration_ms') }} as value,
        1e0 as least_deviation
    from {{ ref('ops_atomic') }}
    where
        date_partition >= {{ first_day }}
        and timestamp <= {{ as_of() }}
        and duration_ms is not null
    group by {{ machine() }}
    union all
    select
        {{ machine() }} as machine,
        'query_p95_ms' as metric,
        {{ quantile('execution_time_ms', 0.95) }} as value,
        1e0 as least_deviation
    from {{ ref('query_perf') }}
    where date_partition >= {{ first_day }} and timestamp <= {{ as_of() }}
    group by {{ machine() }}
    union all
    select
        machine,
        'rejected_share' as metric,
        cast(sum(rejected) as double)
        / nullif(cast(sum(landed) as double), 0) as value,
        1e-2 as least_deviation
    from {{ ref('data_quality_daily') }}
    where date_partition >= {{ first_day }} and date_partition <= {{ today }}
    group by machine

),

find_medians as (

    select
        metric,
        {{ median_of('value') }} as fleet_median,
        count(*) as machines
    from list_values
    where value is not null
    group by metric

),

find_deviations as (

    select
        found.metric,
        {{ median_of('abs(found.value - medians.fleet_median)') }} as mad
    from list_values as found
    inner join find_medians as medians on found.metric = medians.metric
    where found.value is not null
    group by found.metric

),

score as (

    select
        found.machine,
        found.metric,
        found.value,
        medians.fleet_median,
        deviations.mad,
        medians.machines,
        -- With few machines none of them is the rule.
        case
            when medians.machines >= {{ var('outlier_least_machines') }}
                then
                    (found.value - medians.fleet_median)
                    / greatest(
                        1.4826e0 * deviations.mad,
                        5e-2 * abs(medians.fleet_median),
                        found.least_deviation
                    )
        end as robust_z
    from list_values as found
    inner join find_medians as medians on found.metric = medians.metric
    inner join find_deviations as deviations
        on found.metric = deviations.metric
    where found.value is not null

)

select
    machine,
    metric,
    value,
    fleet_median,
    mad,
    cast(machines as bigint) as machines,
    robust_z,
    coalesce(abs(robust_z) >= {{ var('anomaly_z') }}, false) as is_outlier
from score
