{%- set columns = [
    'redis_status', 'database_status', 'api_status', 'launchagent_optimizer',
    'launchagent_digest',
] -%}

with

heartbeats as (

    from {{ ref('stg_heartbeats') }}

),

monitored_checks as (

    from {{ ref('monitored_checks') }}

),

unnest_groups as (

    select
        filename,
        reported_at,
        status,
        duration_ms,
        day,
        -- A heartbeat without checks is a heartbeat all the same.
        unnest(if(len(check_groups) > 0, check_groups, [null]))
            as reported_group,
    from heartbeats
    where reject_reason is null

),

unnest_checks as (

    select
        unnest_groups.* exclude (reported_group),
        reported_group.check_group,
        unnest(coalesce(reported_group.checks, [null])) as reported_check,
    from unnest_groups

),

match_monitored_checks as (

    select
        unnest_checks.* exclude (check_group, reported_check),
        monitored_checks.column_name,
        {{ check_status('reported_check.text') }} as check_status,
    from unnest_checks
    left join monitored_checks
        on
            unnest_checks.check_group = monitored_checks.check_group
            and monitored_checks.check_name
            in ('any', unnest_checks.reported_check.check_name)

),

pivot_to_worst_status as (

    select
        filename,
        reported_at,
        status,
        duration_ms,
        {%- for column in columns %}
            {{ worst_status('check_status', "column_name = '" ~ column ~ "'") }}
                as {{ column }},
        {%- endfor %}
        day,
        'heartbeats' as landing_source,
        'published' as outcome,
    from match_monitored_checks
    group by filename, reported_at, status, duration_ms, day

),

list_rejects as (

    select
        filename,
        reported_at,
        status,
        duration_ms,
        raw,
        reject_reason,
        day,
        'heartbeats' as landing_source,
        'reject' as outcome,
    from heartbeats
    where reject_reason is not null

)

from pivot_to_worst_status
union all by name
from list_rejects
