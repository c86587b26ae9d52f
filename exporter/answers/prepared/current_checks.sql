-- One row per check that counts now.
with spans_in_order as (
    select
        *,
        -- A check that went and came back begins anew.
        started_at is distinct from lag(ended_at) over (
            partition by check_key order by started_at
        ) as is_begin,
        last_value(state) over (
            partition by check_key order by started_at
            rows between unbounded preceding and unbounded following
        ) as last_state,
    from timeline
),

since_when as (
    select
        check_key,
        any_value(last_state) as state,
        max(ended_at) as ended_at,
        max(last_heartbeat_at) as last_heartbeat_at,
        greatest(
            max(ended_at) filter (where state != last_state),
            max(started_at) filter (where is_begin)
        ) as since,
    from spans_in_order
    group by all
),

-- What was said when it came to be so.
messages as (
    select
        check_key,
        arg_min(message, started_at) filter (where message is not null) as message,
    from timeline
    inner join since_when using (check_key)
    where started_at >= since
    group by all
),

last_90_days as (
    select check_key, incidents, mttr_s, longest_outage_s, flaps_per_day
    from reliability_summary
    where period = '90d'
),

targets as (
    select check_key, target, uptime_observed, coverage
    from slo_status
    where period = '90d'
)

select
    check_key,
    state,
    since,
    message,
    last_heartbeat_at,
    target,
    uptime_observed as uptime_observed_90d,
    coverage as coverage_90d,
    coalesce(incidents, 0) as incidents_90d,
    mttr_s as mttr_s_90d,
    longest_outage_s as longest_outage_s_90d,
    flaps_per_day as flaps_per_day_90d,
from since_when
left join messages using (check_key)
left join last_90_days using (check_key)
left join targets using (check_key)
-- One that is named no more has ended before the present moment.
where ended_at >= getvariable('as_of')
