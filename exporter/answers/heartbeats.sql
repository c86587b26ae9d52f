-- One row per hour of the last 90 days, and per day of all that anomalies are
-- looked for in: how long a heartbeat took, and whether that is odd.
with hours as (
    select observed_at, value, expected, robust_z, is_anomaly
    from metric_anomalies
    where metric = 'heartbeat_duration_ms'
)

select
    'hour' as grain,
    observed_at,
    value as duration_ms,
    expected as expected_ms,
    robust_z,
    is_anomaly,
from hours
where observed_at >= getvariable('as_of') - interval 90 days
union all
select
    'day',
    date_trunc('day', observed_at),
    median(value),
    median(expected),
    -- The furthest hour of the day speaks for it.
    arg_max(robust_z, abs(robust_z)),
    bool_or(is_anomaly),
from hours
group by all
order by grain desc, observed_at
