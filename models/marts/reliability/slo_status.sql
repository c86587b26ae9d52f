with

periods as (

    {{ reliability_periods() | indent(4) }}

),

sum_states as (

    select
        spans.machine,
        spans.check_key,
        periods.period,
        {{ sum_of_states(['up', 'degraded'], 'periods.period_start') }} as up_s,
        {{ sum_of_states(['down'], 'periods.period_start') }} as down_s,
        {{ sum_of_states(['unknown'], 'periods.period_start') }} as unknown_s,
        {{ sum_of_states(['down'], add_seconds(as_of(), -3600)) }}
            as down_1h_s,
        {{ sum_of_states(
            ['up', 'degraded', 'down'], add_seconds(as_of(), -3600)
        ) }} as observed_1h_s,
        {{ sum_of_states(['down'], add_seconds(as_of(), -21600)) }}
            as down_6h_s,
        {{ sum_of_states(
            ['up', 'degraded', 'down'], add_seconds(as_of(), -21600)
        ) }} as observed_6h_s
    from {{ ref('int_check_timeline') }} as spans
    cross join periods
    -- All periods but the first days of a month hold the last six hours.
    where
        spans.ended_at > least(
            periods.period_start, {{ add_seconds(as_of(), -21600) }}
        )
    group by spans.machine, spans.check_key, periods.period

),

set_targets as (

    select
        states.*,
        coalesce(targets.target, defaults.target) as target,
        states.up_s + states.down_s as observed_s,
        1e0 - coalesce(targets.target, defaults.target) as allowed_share
    from sum_states as states
    left join {{ ref('slo_targets') }} as targets
        on states.check_key = targets.check_key
    left join {{ ref('slo_targets') }} as defaults on defaults.check_key = '*'

)

select
    machine,
    check_key,
    period,
    target,
    up_s / nullif(observed_s + unknown_s, 0) as uptime_strict,
    up_s / nullif(observed_s, 0) as uptime_observed,
    1e0 - unknown_s / nullif(observed_s + unknown_s, 0) as coverage,
    allowed_share * observed_s as error_budget_s,
    allowed_share * observed_s - down_s as budget_left_s,
    down_1h_s / nullif(observed_1h_s, 0) / nullif(allowed_share, 0)
        as burn_rate_1h,
    down_6h_s / nullif(observed_6h_s, 0) / nullif(allowed_share, 0)
        as burn_rate_6h,
    up_s / nullif(observed_s, 0) < target as is_breached,
    observed_1h_s,
    observed_6h_s
from set_targets
