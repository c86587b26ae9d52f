with

pull_spans as (

    select
        machine,
        check_key,
        state,
        started_at,
        ended_at,
        heartbeats,
        message,
        first_heartbeat_at,
        last_heartbeat_at
    from {{ ref('int_check_timeline') }}

),

bound_machines as (

    select
        machine,
        max(ended_at) as known_until,
        max(last_heartbeat_at) as heard_at
    from pull_spans
    group by machine

),

-- What says that a check is well, or not to be judged, ends its row of errors:
-- a gap does not. A check that counts again begins a new one.
mark_ends as (

    select
        *,
        case
            when state in ('up', 'degraded') then 1
            when state = 'maintenance' and heartbeats > 0 then 1
            else 0
        end as is_end,
        case
            when
                started_at > lag(ended_at) over (
                    partition by machine, check_key
                    order by started_at
                )
                then 1
            else 0
        end as is_back
    from pull_spans

),

number_rows as (

    select
        *,
        sum(is_end + is_back) over (
            partition by machine, check_key
            order by started_at
            rows between unbounded preceding and current row
        ) as row_of_errors
    from mark_ends

),

sum_rows as (

    select
        machine,
        check_key,
        row_of_errors,
        min(
            case
                when is_end = 1 then coalesce(first_heartbeat_at, started_at)
            end
        ) as well_at,
        max(is_back) as is_back,
        max(ended_at) as counted_until,
        min(case when state = 'down' then first_heartbeat_at end) as failed_at,
        sum(case when state = 'down' then heartbeats else 0 end)
            as heartbeats_down,
        min_by(message, started_at) filter (
            where state = 'down' and heartbeats > 0 and message is not null
        ) as cause
    from number_rows
    group by machine, check_key, row_of_errors

),

look_ahead as (

    select
        *,
        lead(well_at) over (
            partition by machine, check_key
            order by row_of_errors
        ) as well_again_at,
        lead(is_back) over (
            partition by machine, check_key
            order by row_of_errors
        ) as next_is_back
    from sum_rows

),

find_outages as (

    select
        rows_of_errors.machine,
        rows_of_errors.check_key,
        rows_of_errors.failed_at as started_at,
        case
            when
                rows_of_errors.next_is_back = 1
                -- It no longer counts.
                or rows_of_errors.next_is_back is null
                and rows_of_errors.counted_until < bounds.known_until
                then rows_of_errors.counted_until
            else rows_of_errors.well_again_at
        end as ended_at,
        rows_of_errors.heartbeats_down,
        rows_of_errors.cause
    from look_ahead as rows_of_errors
    inner join bound_machines as bounds
        on rows_of_errors.machine = bounds.machine
    where rows_of_errors.heartbeats_down >= {{ var('incident_after') }}

),

-- The monitor is the check that each heartbeat stands for. Of unknown time no
-- heartbeat vouches for what lies before its first and behind its last one.
reach_of_heartbeats as (

    select
        machine,
        started_at,
        ended_at,
        first_heartbeat_at,
        {{ add_seconds('last_heartbeat_at', reach_s()) }} as vouched_until,
        max({{ add_seconds('last_heartbeat_at', reach_s()) }}) over (
            partition by machine
            order by started_at
            rows between unbounded preceding and 1 preceding
        ) as vouched_before,
        state
    from pull_spans
    where check_key = 'overall'

),

parts_of_gaps as (

    select
        machine,
        greatest(started_at, vouched_before) as started_at,
        coalesce(first_heartbeat_at, ended_at) as ended_at
    from reach_of_heartbeats
    where state = 'unknown'
    union all
    select
        machine,
        vouched_until as started_at,
        ended_at
    from reach_of_heartbeats
    where state = 'unknown' and first_heartbeat_at is not null

),

mark_gaps as (

    select
        *,
        case
            when
                started_at = lag(ended_at) over (
                    partition by machine
                    order by started_at
                )
                then 0
            else 1
        end as is_new
    from parts_of_gaps
    where started_at < ended_at

),

number_gaps as (

    select
        *,
        sum(is_new) over (
            partition by machine
            order by started_at
            rows between unbounded preceding and current row
        ) as gap_number
    from mark_gaps

),

find_gaps as (

    select
        gaps.machine,
        min(gaps.started_at) as started_at,
        -- A heartbeat of the present moment ends it.
        case
            when
                max(gaps.ended_at) < max(bounds.known_until)
                or max(bounds.heard_at) = max(bounds.known_until)
                then max(gaps.ended_at)
        end as ended_at
    from number_gaps as gaps
    inner join bound_machines as bounds on gaps.machine = bounds.machine
    group by gaps.machine, gaps.gap_number

),

list_incidents as (

    select * from find_outages
    union all
    select
        machine,
        'monitor' as check_key,
        started_at,
        ended_at,
        0 as heartbeats_down,
        'no heartbeat' as cause
    from find_gaps

)

select
    machine,
    check_key,
    started_at,
    ended_at,
    ended_at is null as is_open,
    {{ seconds_between(
        'started_at', 'coalesce(ended_at, ' ~ as_of() ~ ')'
    ) }} as duration_s,
    cast(heartbeats_down as bigint) as heartbeats_down,
    cause
from list_incidents
