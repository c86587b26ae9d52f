{#- From points in time to spans of one state, within days.

    `points`: machine, check_key, point_at, place (order among equal times), state and
    message (from here on; NULL state: as before), heartbeats (1 or 0), windows
    (+1 where a maintenance window opens, -1 where one closes), reason.
    `counted`: machine, check_key, date_partition, counted_from, counted_to; a
    point must lie at each counted_from. -#}
{%- macro state_spans(points, counted) -%}
{%- set so_far -%}
partition by machine, check_key order by point_at, place
        rows between unbounded preceding and current row
{%- endset -%}
with

carry_states_on as (

    select
        machine,
        check_key,
        point_at,
        heartbeats,
        {{ last_known('state', so_far) }} as reported_state,
        {{ last_known(
            "case when state is not null then coalesce(message, '') end", so_far
        ) }} as reported_message,
        sum(windows) over ({{ so_far }}) as open_windows,
        {{ last_known('reason', so_far) }} as reason,
        lead(point_at) over (
            partition by machine, check_key
            order by point_at, place
        ) as next_at
    from {{ points }}

),

cut_to_counted_time as (

    select
        carry_states_on.machine,
        carry_states_on.check_key,
        counted.date_partition,
        carry_states_on.heartbeats,
        case
            when carry_states_on.open_windows > 0 then 'maintenance'
            else coalesce(carry_states_on.reported_state, 'unknown')
        end as state,
        case
            when carry_states_on.open_windows > 0 then carry_states_on.reason
            else nullif(carry_states_on.reported_message, '')
        end as message,
        greatest(carry_states_on.point_at, counted.counted_from) as started_at,
        least(carry_states_on.next_at, counted.counted_to) as ended_at
    from carry_states_on
    inner join {{ counted }} as counted
        on
            carry_states_on.machine = counted.machine
            and carry_states_on.check_key = counted.check_key
            and cast(carry_states_on.point_at as date) = counted.date_partition

),

mark_changes as (

    select
        *,
        case
            when
                state = lag(state) over (
                    partition by machine, check_key, date_partition
                    order by started_at
                )
                then 0
            else 1
        end as is_change
    from cut_to_counted_time
    -- Of a heartbeat of just the present moment there is no time yet.
    where started_at < ended_at or started_at = ended_at and heartbeats > 0

),

number_spans as (

    select
        *,
        sum(is_change) over (
            partition by machine, check_key, date_partition
            order by started_at
            rows between unbounded preceding and current row
        ) as span_number
    from mark_changes

)

select
    machine,
    check_key,
    state,
    min(started_at) as started_at,
    max(ended_at) as ended_at,
    {{ seconds_between('min(started_at)', 'max(ended_at)') }} as duration_s,
    cast(sum(heartbeats) as bigint) as heartbeats,
    min_by(message, started_at) filter (where message is not null) as message,
    date_partition,
    min(case when heartbeats > 0 then started_at end) as first_heartbeat_at,
    max(case when heartbeats > 0 then started_at end) as last_heartbeat_at
from number_spans
group by machine, check_key, date_partition, span_number, state
{%- endmacro -%}


{#- The points where maintenance windows open and close, for each check in
    `checks` (machine, check_key). A window without an end lasts on. Of windows that
    open at one moment one reason is told, whatever their order. -#}
{%- macro maintenance_points(checks) -%}
select
    checks.machine,
    checks.check_key,
    case edges.edge
        when 'opens' then windows.started_at
        else windows.ended_at
    end as point_at,
    1 as place,
    cast(null as string) as state,
    cast(null as string) as message,
    0 as heartbeats,
    sum(case edges.edge when 'opens' then 1 else -1 end) as windows,
    min(case edges.edge when 'opens' then {{ first_line('windows.reason') }} end)
        as reason
from {{ checks }} as checks
inner join {{ ref('maintenance_windows') }} as windows
    on windows.check_key in ('*', checks.check_key)
cross join (values ('opens'), ('closes')) as edges (edge)
where
    windows.started_at < coalesce(windows.ended_at, {{ as_of() }})
    and (edges.edge = 'opens' or windows.ended_at is not null)
group by
    checks.machine,
    checks.check_key,
    case edges.edge
        when 'opens' then windows.started_at
        else windows.ended_at
    end
{%- endmacro -%}


{#- Seconds of a span that lie between two times; 0 where none do. -#}
{%- macro seconds_within(started_at, ended_at, from_time, to_time) -%}
greatest(
        0e0,
        {{ seconds_between(
            'greatest(' ~ started_at ~ ', ' ~ from_time ~ ')',
            'least(' ~ ended_at ~ ', ' ~ to_time ~ ')'
        ) }}
    )
{%- endmacro -%}


{#- How long after a heartbeat its state is vouched for, in seconds. -#}
{%- macro reach_s() -%}
{{ var('interval_s') + var('grace_s') }}
{%- endmacro -%}


{%- macro snake_name(name) -%}
{{ adapter.dispatch('snake_name', 'ops_atomic')(name) }}
{%- endmacro -%}

{%- macro default__snake_name(name) -%}
{{ snake_case(name) }}
{%- endmacro -%}

{%- macro spark__snake_name(name) -%}
trim(
        both '_' from lower(
            regexp_replace(
                regexp_replace({{ name }}, r'([a-z0-9])([A-Z])', r'$1_$2'),
                r'[^\p{L}\p{N}]+', '_'
            )
        )
    )
{%- endmacro -%}


{#- A text's first line, without spaces around it; NULL when nothing is left. -#}
{%- macro first_line(text) -%}
nullif(trim(split_part(replace({{ text }}, chr(13), chr(10)), chr(10), 1)), '')
{%- endmacro -%}


{#- A SELECT of the periods up to the present moment: `period`, `period_start`. -#}
{%- macro reliability_periods() -%}
{%- for days in [7, 30, 90] -%}
select
    '{{ days }}d' as period,
    {{ add_seconds(as_of(), -86400 * days) }} as period_start
union all
{% endfor -%}
select
    'month' as period,
    {{ start_of('month', as_of()) }} as period_start
{%- endmacro -%}


{#- Seconds in some states, summed over the part of the spans within a time. -#}
{%- macro sum_of_states(states, from_time) -%}
{{ ordered_sum(
        "case when spans.state in ('" ~ states | join("', '") ~ "') then "
        ~ seconds_within(
            'spans.started_at', 'spans.ended_at', from_time, as_of()
        )
        ~ ' else 0e0 end'
    ) }}
{%- endmacro -%}
