with

periods as (

    {{ reliability_periods() | indent(4) }}

),

pull_spans as (

    select * from {{ ref('int_check_timeline') }}

),

-- Unknown time and maintenance say nothing of a change.
observed_states as (

    select
        machine,
        check_key,
        state,
        started_at,
        lag(state) over (
            partition by machine, check_key
            order by started_at
        ) as state_before
    from pull_spans
    where state in ('up', 'degraded', 'down')

),

count_changes as (

    select
        states.machine,
        states.check_key,
        periods.period,
        count(*) as changes
    from observed_states as states
    inner join periods on states.started_at >= periods.period_start
    where states.state != states.state_before
    group by states.machine, states.check_key, periods.period

),

sum_states as (

    select
        spans.machine,
        spans.check_key,
        periods.period,
        {{ sum_of_states(['up'], 'periods.period_start') }} as up_s,
        {{ sum_of_states(['degraded'], 'periods.period_start') }} as degraded_s,
        {{ sum_of_states(['down'], 'periods.period_start') }} as down_s,
        {{ sum_of_states(['unknown'], 'periods.period_start') }} as unknown_s,
        {{ sum_of_states(['maintenance'], 'periods.period_start') }}
            as maintenance_s
    from pull_spans as spans
    inner join periods on spans.ended_at > periods.period_start
    group by spans.machine, spans.check_key, periods.period

),

sum_incidents as (

    select
        incidents.machine,
        incidents.check_key,
        periods.period,
        sum(
            case
                when incidents.started_at >= periods.period_start then 1
                else 0
            end
        ) as incidents,
        {{ ordered_sum(
            'case when not incidents.is_open then incidents.duration_s end'
        ) }} / count(case when not incidents.is_open then 1 end) as mttr_s,
        max(
            {{ seconds_within(
                'incidents.started_at',
                'coalesce(incidents.ended_at, ' ~ as_of() ~ ')',
                'periods.period_start',
                as_of()
            ) }}
        ) as longest_outage_s
    from {{ ref('incidents') }} as incidents
    inner join periods
        on coalesce(incidents.ended_at, {{ as_of() }}) > periods.period_start
    group by incidents.machine, incidents.check_key, periods.period

),

put_together as (

    select
        states.*,
        coalesce(incidents.incidents, 0) as incidents,
        incidents.mttr_s,
        incidents.longest_outage_s,
        coalesce(changes.changes, 0) as changes,
        nullif(
            states.up_s + states.degraded_s + states.down_s + states.unknown_s
            + states.maintenance_s,
            0
        ) as counted_s
    from sum_states as states
    left join sum_incidents as incidents
        on
            states.machine = incidents.machine
            and states.check_key = incidents.check_key
            and states.period = incidents.period
    left join count_changes as changes
        on
            states.machine = changes.machine
            and states.check_key = changes.check_key
            and states.period = changes.period

)

select
    machine,
    check_key,
    period,
    cast(incidents as bigint) as incidents,
    mttr_s,
    (up_s + degraded_s) / nullif(incidents, 0) as mtbf_s,
    longest_outage_s,
    up_s / counted_s as up_share,
    degraded_s / counted_s as degraded_share,
    down_s / counted_s as down_share,
    unknown_s / counted_s as unknown_share,
    maintenance_s / counted_s as maintenance_share,
    changes / (counted_s / 86400e0) as flaps_per_day
from put_together
