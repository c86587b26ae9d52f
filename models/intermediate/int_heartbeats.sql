{%- set columns = [
    'redis_status', 'database_status', 'api_status', 'launchagent_optimizer',
    'launchagent_digest',
] -%}

with

heartbeats as (

    from {{ ref('stg_heartbeats') }}

),

legacy_rows as (

    from {{ ref('stg_legacy_parquet') }}
    where dataset = 'ops_atomic'

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
        {{ check_status(
            'reported_check.text', without_mark('reported_check.text')
        ) }} as check_status,
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
        filename as source_file,
        null::bigint as line_number,
        'heartbeats' as landing_source,
        'published' as outcome,
    from match_monitored_checks
    group by filename, reported_at, status, duration_ms, day

),

-- Of one heartbeat written in both forms, the one in JSON is published.
list_unpublished as (

    select
        filename,
        reported_at,
        status,
        duration_ms,
        raw,
        reject_reason,
        day,
        filename as source_file,
        null::bigint as line_number,
        'heartbeats' as landing_source,
        if(
            reject_reason = 'a heartbeat in JSON has this name',
            'duplicate',
            'reject'
        ) as outcome,
    from heartbeats
    where reject_reason is not null

),

list_names_that_count as (

    select filename,
    from pivot_to_worst_status
    union all
    -- The other program knew the heartbeat by its name in Markdown.
    select regexp_replace(filename, '\.json$', '.md') as filename,
    from pivot_to_worst_status
    where filename like '%.json'
    union all
    select filename,
    from list_unpublished
    where outcome = 'duplicate'

),

-- Old files are cumulative: of equal heartbeats the newest file's counts, and
-- one that lies on the day of its time.
rank_legacy_rows as (

    select
        *,
        row_number() over (
            partition by day, filename, reject_reason is null
            order by
                reported_at::date = day desc,
                source_file desc,
                version desc,
                line_number desc
        ) as place,
    from legacy_rows

),

judge_legacy_rows as (

    select
        * exclude (dataset, version, place),
        'legacy_parquet' as landing_source,
        case
            when reject_reason is not null then 'reject'
            when place > 1 then 'duplicate'
            -- What is read from the heartbeat itself says more.
            when filename in (from list_names_that_count) then 'duplicate'
            else 'published'
        end as outcome,
    from rank_legacy_rows

)

from pivot_to_worst_status
union all by name
from list_unpublished
union all by name
from judge_legacy_rows
