-- One row per period: how much of it the whole was up, as uptime_daily has it.
with periods (period, period_start) as (
    values
    ('24h', $as_of - interval 24 hours),
    ('7d', $as_of - interval 7 days),
    ('30d', $as_of - interval 30 days)
),

sums as (
    select
        period,
        sum(seconds) filter (where state in ('up', 'degraded')) as up_s,
        sum(seconds) filter (where state = 'down') as down_s,
        sum(seconds) filter (where state = 'unknown') as unknown_s,
    from (
        select
            period,
            state,
            date_diff(
                'microsecond', greatest(started_at, period_start), ended_at
            ) / 1e6 as seconds,
        from int_check_timeline
        inner join periods on ended_at > period_start
        where check_key = 'overall'
        order by seconds
    )
    group by period
)

select
    period,
    coalesce(up_s, 0) / nullif(coalesce(up_s, 0) + coalesce(down_s, 0), 0)
        as uptime_observed,
    coalesce(up_s, 0) / nullif(
        coalesce(up_s, 0) + coalesce(down_s, 0) + coalesce(unknown_s, 0), 0
    ) as uptime_strict,
    1 - coalesce(unknown_s, 0) / nullif(
        coalesce(up_s, 0) + coalesce(down_s, 0) + coalesce(unknown_s, 0), 0
    ) as coverage,
from sums
order by list_position(['24h', '7d', '30d'], period)
