-- One row per check that counts now: its state, since when, and what it said then.
-- Of `timeline`, up to the variable `as_of`; ops-atomic status asks it as well.
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
)

select check_key, state, since, message, since_when.last_heartbeat_at,
from since_when
left join messages using (check_key)
-- One that is named no more has ended before the present moment.
where ended_at >= getvariable('as_of')
order by check_key != 'overall', check_key like '%/%', check_key
