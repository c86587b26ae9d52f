{%- set today = 'cast(' ~ as_of() ~ ' as date)' -%}

with

find_last_days as (

    select
        {{ machine() }} as machine,
        source,
        max(date_partition) as last_day,
        max(case when date_partition < {{ today }} then date_partition end)
            as last_day_before
    from {{ ref('landed_counts') }}
    where
        -- A reject is no sign of life.
        published + duplicates > 0
        and date_partition <= {{ today }}
    group by {{ machine() }}, source

),

-- Of what is older than the history, the day says enough.
find_last_records as (

    select
        {{ machine() }} as machine,
        'heartbeats' as source,
        {{ heard_by_now() }}
    from {{ ref('ops_atomic') }}
    where {{ within_history() }}
    group by {{ machine() }}
    union all
    select
        {{ machine() }} as machine,
        'query_rows' as source,
        {{ heard_by_now() }}
    from {{ ref('query_perf') }}
    where
        {{ within_history() }}
        and source_file not like '%.jsonl'
    group by {{ machine() }}
    union all
    select
        {{ machine() }} as machine,
        'index_advisor' as source,
        {{ heard_by_now() }}
    from {{ ref('advisor_reports') }}
    where {{ within_history() }}
    group by {{ machine() }}
    union all
    select
        {{ machine() }} as machine,
        case
            when event_type = 'telemetry_rollup' then 'telemetry'
            else 'optimization_summary'
        end as source,
        {{ heard_by_now() }}
    from {{ ref('optimization_summary') }}
    where {{ within_history() }}
    group by
        {{ machine() }},
        case
            when event_type = 'telemetry_rollup' then 'telemetry'
            else 'optimization_summary'
        end

),

list_machines as (

    {{ machines_of(ref('landed_counts')) }}

),

-- A day with records that are all still to come is none yet.
join_records as (

    select
        days.machine,
        days.source,
        case
            when
                records.is_later_today = 1
                and coalesce(records.heard_on < {{ today }}, true)
                then days.last_day_before
            else days.last_day
        end as last_day,
        records.last_record_at
    from find_last_days as days
    left join find_last_records as records
        on
            days.machine = records.machine
            and days.source = records.source

),

put_together as (

    select
        machines.machine,
        expected.source,
        expected.dataset,
        seen.last_day,
        -- What tells no time may be as late as the end of its day.
        coalesce(
            seen.last_record_at,
            least(
                cast({{ add_days('seen.last_day', 1) }} as timestamp),
                {{ as_of() }}
            )
        ) as last_record_at,
        expected.allowed_age_hours * 3600e0 as allowed_age_s
    from list_machines as machines
    cross join {{ ref('expected_sources') }} as expected
    left join join_records as seen
        on
            machines.machine = seen.machine
            and expected.source = seen.source

),

reckon_ages as (

    select
        *,
        {{ seconds_between('last_record_at', as_of()) }} as age_s
    from (
        select
            machine,
            source,
            dataset,
            last_day,
            allowed_age_s,
            case when last_day is not null then last_record_at end
                as last_record_at
        from put_together
    ) as seen

)

select
    machine,
    source,
    dataset,
    last_day,
    last_record_at,
    age_s,
    allowed_age_s,
    coalesce(age_s > allowed_age_s, false) as is_stale,
    case
        when last_day is null then 'never seen'
        when age_s > allowed_age_s then 'stale'
        else 'fresh'
    end as status
from reckon_ages
