-- One row per check that counts now, with its target and its last 90 days.
with last_90_days as (
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
from states_now
left join last_90_days using (check_key)
left join targets using (check_key)
