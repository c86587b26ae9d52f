{#- Between which moments of each day a check counts: from its first appearance until
    `check_ttl_days` after its last. Days without any heartbeat say nothing of that:
    the checks that counted before go on.

    `heartbeats`: machine, date_partition, one row each. `checks`: machine, check_key.
    `days`: machine, check_key, date_partition, first_at and last_at, where it was seen.
    Gives machine, check_key, date_partition, counted_from, counted_to, of the days
    that are made: both the same where it begins to count at the present moment. -#}
{%- macro counted_time(heartbeats, checks, days) -%}
{%- set ttl_s = var('check_ttl_days') * 86400 -%}
with

bound_calendar as (

    select
        machine,
        min(date_partition) as first_day,
        greatest(max(date_partition), {{ last_made_day() }}) as last_day
    from {{ heartbeats }}
    group by machine

),

calendar as (

    select
        machine,
        {{ each_day('first_day', 'last_day') }} as date_partition
    from bound_calendar

),

count_heartbeats as (

    select
        machine,
        date_partition,
        count(*) as heartbeats
    from {{ heartbeats }}
    group by machine, date_partition

),

mark_silent_days as (

    select
        calendar.machine,
        calendar.date_partition,
        cast(calendar.date_partition as timestamp) as day_start,
        cast({{ add_days('calendar.date_partition', 1) }} as timestamp)
            as day_end,
        coalesce(heard.heartbeats, 0) = 0 as is_silent,
        max(case when heard.heartbeats > 0 then calendar.date_partition end)
            over (
                partition by calendar.machine
                order by calendar.date_partition
                rows between unbounded preceding and 1 preceding
            ) as heard_before
    from calendar
    left join count_heartbeats as heard
        on
            calendar.machine = heard.machine
            and calendar.date_partition = heard.date_partition

),

look_back as (

    select
        checks.machine,
        checks.check_key,
        days.date_partition,
        days.day_start,
        days.day_end,
        days.is_silent,
        days.heard_before,
        seen.first_at,
        max(seen.last_at) over (
            partition by checks.machine, checks.check_key
            order by days.date_partition
            rows between unbounded preceding and 1 preceding
        ) as seen_before_at
    from {{ checks }} as checks
    inner join mark_silent_days as days on checks.machine = days.machine
    left join {{ days }} as seen
        on
            checks.machine = seen.machine
            and checks.check_key = seen.check_key
            and days.date_partition = seen.date_partition

),

reckon_lifetimes as (

    select
        *,
        {{ add_seconds('seen_before_at', ttl_s) }} as expires_at,
        coalesce(
            {{ add_seconds('seen_before_at', ttl_s) }} > cast(
                {{ add_days('heard_before', 1) }} as timestamp
            ),
            false
        ) as counted_before
    from look_back

),

bound_counted_time as (

    select
        machine,
        check_key,
        date_partition,
        case
            when not counted_before then first_at
            when is_silent or first_at is not null or expires_at > day_start
                then day_start
        end as counted_from,
        least(
            case
                when is_silent or first_at is not null then day_end
                else least(expires_at, day_end)
            end,
            {{ as_of() }}
        ) as counted_to
    from reckon_lifetimes

)

select *
from bound_counted_time
where counted_from <= counted_to and {{ is_made() }}
{%- endmacro -%}
