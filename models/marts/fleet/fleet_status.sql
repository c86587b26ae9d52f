with

pull_spans as (

    select
        machine,
        check_key,
        state,
        started_at,
        message,
        lag(state) over (
            partition by machine, check_key
            order by started_at
        ) as state_before,
        row_number() over (
            partition by machine, check_key
            order by started_at desc
        ) as from_last,
        max(last_heartbeat_at) over (partition by machine, check_key)
            as last_heartbeat_at
    from {{ ref('int_check_timeline') }}
    where started_at <= {{ as_of() }}

),

-- Midnight cuts spans, and starts no state.
find_changes as (

    select
        machine,
        check_key,
        max(started_at) as since
    from pull_spans
    where state_before is null or state_before != state
    group by machine, check_key

),

pull_month as (

    select
        machine,
        check_key,
        uptime_observed,
        is_breached
    from {{ ref('slo_status') }}
    where period = '30d'

)

select
    spans.machine,
    spans.check_key,
    spans.state,
    changes.since,
    {{ seconds_between('changes.since', as_of()) }} as state_s,
    spans.last_heartbeat_at,
    spans.message,
    months.uptime_observed as uptime_30d,
    months.is_breached
from pull_spans as spans
inner join find_changes as changes
    on
        spans.machine = changes.machine
        and spans.check_key = changes.check_key
left join pull_month as months
    on
        spans.machine = months.machine
        and spans.check_key = months.check_key
where spans.from_last = 1
