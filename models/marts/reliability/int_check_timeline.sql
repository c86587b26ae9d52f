{#- Days after the last heartbeat's have no file in check_states. What they were
    is reckoned here: as the last heartbeat said for as long as it vouches, then
    unknown, with the maintenance of these days. -#}

with

pull_spans as (

    select
        machine,
        check_key,
        state,
        started_at,
        ended_at,
        duration_s,
        heartbeats,
        message,
        date_partition,
        first_heartbeat_at,
        last_heartbeat_at
    from {{ ref('check_states') }}

),

bound_machines as (

    select
        machine,
        max(ended_at) as known_until,
        max(last_heartbeat_at) as heard_at
    from pull_spans
    group by machine

),

find_last_spans as (

    select
        spans.*,
        row_number() over (
            partition by spans.machine, spans.check_key
            order by spans.started_at desc
        ) as from_last,
        bounds.known_until,
        bounds.heard_at,
        {{ add_seconds('bounds.heard_at', reach_s()) }} as vouched_until,
        max(spans.last_heartbeat_at) over (
            partition by spans.machine, spans.check_key
        ) as named_at
    from pull_spans as spans
    inner join bound_machines as bounds on spans.machine = bounds.machine

),

checks_to_go_on as (

    select
        *,
        named_at = heard_at
        and vouched_until > known_until
        and state != 'maintenance' as is_vouched_for
    from find_last_spans
    where
        from_last = 1
        and ended_at = known_until
        and known_until < {{ as_of() }}

),

list_days as (

    select
        machine,
        check_key,
        {{ each_day(
            'cast(known_until as date)',
            'cast(' ~ as_of() ~ ' as date)'
        ) }} as date_partition
    from checks_to_go_on

),

counted as (

    select
        machine,
        check_key,
        date_partition,
        cast(date_partition as timestamp) as counted_from,
        least(
            cast({{ add_days('date_partition', 1) }} as timestamp),
            {{ as_of() }}
        ) as counted_to
    from list_days

),

points as (

    select
        machine,
        check_key,
        known_until as point_at,
        1 as place,
        case when is_vouched_for then state else 'unknown' end as state,
        case when is_vouched_for then message end as message,
        0 as heartbeats,
        0 as windows,
        cast(null as string) as reason
    from checks_to_go_on
    union all
    select
        machine,
        check_key,
        vouched_until as point_at,
        0 as place,
        'unknown' as state,
        cast(null as string) as message,
        0 as heartbeats,
        0 as windows,
        cast(null as string) as reason
    from checks_to_go_on
    where is_vouched_for
    union all
    select
        machine,
        check_key,
        counted_from as point_at,
        1 as place,
        cast(null as string) as state,
        cast(null as string) as message,
        0 as heartbeats,
        0 as windows,
        cast(null as string) as reason
    from counted
    union all
    {{ maintenance_points('checks_to_go_on') | indent(4) }}

),

go_on as (

    {{ state_spans('points', 'counted') | indent(4) }}

)

select *
from pull_spans
union all
select
    machine,
    check_key,
    state,
    started_at,
    ended_at,
    duration_s,
    heartbeats,
    message,
    date_partition,
    first_heartbeat_at,
    last_heartbeat_at
from go_on
