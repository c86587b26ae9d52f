with

pull_heartbeats as (

    select
        {{ machine() }} as machine,
        timestamp as seen_at,
        date_partition,
        status,
        redis_status,
        database_status,
        api_status,
        launchagent_optimizer,
        launchagent_digest
    from {{ ref('ops_atomic') }}
    where timestamp <= {{ as_of() }}

),

pull_checks as (

    select
        {{ machine() }} as machine,
        timestamp as seen_at,
        check_group,
        check_name,
        status,
        message
    from {{ ref('heartbeat_checks') }}
    where timestamp <= {{ as_of() }}

),

list_names as (

    select distinct
        check_group,
        check_name
    from pull_checks

),

name_checks as (

    select
        list_names.check_group,
        list_names.check_name,
        coalesce(
            replace(monitored.column_name, '_status', ''),
            {{ snake_name('list_names.check_group') }}
            || '/' || {{ snake_name('list_names.check_name') }}
        ) as check_key
    from list_names
    left join {{ ref('monitored_checks') }} as monitored
        on
            list_names.check_group = monitored.check_group
            and monitored.check_name in (list_names.check_name, 'any')

),

-- Heartbeats of another maker have columns, but no checks one by one.
read_columns as (

    select
        heartbeats.machine,
        heartbeats.seen_at,
        checks.check_key,
        case checks.check_key
            when 'overall' then heartbeats.status
            when 'redis' then heartbeats.redis_status
            when 'database' then heartbeats.database_status
            when 'api' then heartbeats.api_status
            when 'launchagent_optimizer' then heartbeats.launchagent_optimizer
            when 'launchagent_digest' then heartbeats.launchagent_digest
        end as status,
        cast(null as string) as message,
        cast(null as string) as check_name
    from pull_heartbeats as heartbeats
    cross join (
        values
        ('overall'),
        ('redis'),
        ('database'),
        ('api'),
        ('launchagent_optimizer'),
        ('launchagent_digest')
    ) as checks (check_key)

),

read_checks as (

    select
        pull_checks.machine,
        pull_checks.seen_at,
        name_checks.check_key,
        pull_checks.status,
        pull_checks.message,
        pull_checks.check_name
    from pull_checks
    inner join name_checks
        on
            pull_checks.check_group = name_checks.check_group
            and pull_checks.check_name = name_checks.check_name

),

-- What is wrong with the whole is what is wrong with the worst of its checks.
explain_overall as (

    select
        machine,
        seen_at,
        'overall' as check_key,
        cast(null as string) as status,
        check_key || ': ' || {{ first_line('message') }} as message,
        case status when 'error' then '1' else '2' end || check_key
            as check_name
    from read_checks
    where status in ('error', 'warn')

),

rank_statuses as (

    select
        *,
        case status
            when 'error' then 5
            when 'warn' then 4
            when 'unknown' then 3
            when 'skipped' then 2
            when 'ok' then 1
        end as severity
    from (
        select * from read_columns
        where status is not null
        union all
        select * from read_checks
        union all
        select * from explain_overall
    ) as said

),

-- Of what one moment says twice, the worst holds.
take_worst as (

    select
        machine,
        check_key,
        seen_at,
        max(severity) as severity,
        min_by(
            message,
            cast(9 - coalesce(severity, 0) as string)
            || ' ' || check_name || ' ' || message
        ) filter (where message is not null) as message
    from rank_statuses
    group by machine, check_key, seen_at

),

list_heartbeats as (

    select
        machine,
        seen_at,
        date_partition,
        lead(seen_at) over (partition by machine order by seen_at) as next_at
    from (
        select distinct
            machine,
            seen_at,
            date_partition
        from pull_heartbeats
    ) as heartbeats

),

appearances as (

    select
        take_worst.machine,
        take_worst.check_key,
        take_worst.seen_at,
        heartbeats.date_partition,
        case
            when take_worst.severity = 5 then 'down'
            when take_worst.severity = 4 then 'degraded'
            when take_worst.severity = 1 then 'up'
            else 'unknown'
        end as state,
        case
            when take_worst.check_key = 'overall' and take_worst.severity < 4
                then null
            else {{ first_line('take_worst.message') }}
        end as message,
        least(
            {{ add_seconds('take_worst.seen_at', reach_s()) }},
            heartbeats.next_at
        ) as vouched_until,
        lead(take_worst.seen_at) over (
            partition by take_worst.machine, take_worst.check_key
            order by take_worst.seen_at
        ) as seen_again_at
    from take_worst
    inner join list_heartbeats as heartbeats
        on
            take_worst.machine = heartbeats.machine
            and take_worst.seen_at = heartbeats.seen_at

),

days_of_checks as (

    select
        machine,
        check_key,
        date_partition,
        min(seen_at) as first_at,
        max(seen_at) as last_at
    from appearances
    group by machine, check_key, date_partition

),

list_checks as (

    select distinct
        machine,
        check_key
    from days_of_checks

),

counted as (

    {{
        counted_time('list_heartbeats', 'list_checks', 'days_of_checks')
        | indent(4)
    }}

),

points as (

    select
        machine,
        check_key,
        seen_at as point_at,
        2 as place,
        state,
        message,
        1 as heartbeats,
        0 as windows,
        cast(null as string) as reason
    from appearances
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
    from appearances
    where coalesce(vouched_until < seen_again_at, true)
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
    {{ maintenance_points('list_checks') | indent(4) }}

),

spans as (

    {{ state_spans('points', 'counted') | indent(4) }}

)

select * from spans
