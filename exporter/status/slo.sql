-- One row per check and period: how it stands against its target.
select
    check_key, period, target, uptime_observed, uptime_strict, coverage,
    error_budget_s, budget_left_s, burn_rate_1h, burn_rate_6h, is_breached,
    observed_1h_s, observed_6h_s,
from slo_status
order by
    check_key != 'overall', check_key like '%/%', check_key,
    list_position(['7d', '30d', '90d', 'month'], period)
