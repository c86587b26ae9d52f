-- One row: whether anything is wrong now, since when, and why.
with rhythm as (
    -- Seconds between the last runs that were started on schedule.
    select median(epoch(started_at) - epoch(before_at)) as gap_s
    from (
        select started_at, lag(started_at) over (order by started_at) as before_at
        from export_runs
        where started_by = 'agent'
        order by started_at desc
        limit 20
    )
),

last_run as (
    select started_at, status, first_error
    from export_runs
    order by started_at desc
    limit 1
),

-- As long as an incident is open, its check is down, seen or not.
open_incidents as (
    select check_key, started_at, cause
    from incidents
    where is_open and check_key != 'monitor'
),

known as (
    select
        check_key,
        if(open_incidents.started_at is null, state, 'down') as state,
        if(state = 'down', since, coalesce(open_incidents.started_at, since)) as since,
        coalesce(message, cause) as message,
    from current_checks
    full join open_incidents using (check_key)
),

-- A check that is down or degraded counts, whatever the whole says; of which
-- nothing is known, or which is in maintenance, only the whole.
judged as (
    select
        *,
        case
            when state = 'down' then 4
            when state = 'degraded' then 3
            when check_key = 'overall' and state = 'unknown' then 2
            when check_key = 'overall' and state = 'maintenance' then 1
            else 0
        end as badness,
    from known
),

worst as (
    select state, since, message
    from judged
    order by badness desc, check_key != 'overall', since
    limit 1
),

counts as (
    select
        count(*) filter (where state = 'up') as up,
        count(*) filter (where state = 'degraded') as degraded,
        count(*) filter (where state = 'down') as down,
        count(*) filter (where state = 'unknown') as unknown,
        count(*) filter (where state = 'maintenance') as maintenance,
        max(last_heartbeat_at) as last_heartbeat_at,
    from current_checks
    where check_key != 'overall'
)

select
    worst.state,
    worst.since,
    worst.message as cause,
    counts.up as checks_up,
    counts.degraded as checks_degraded,
    counts.down as checks_down,
    counts.unknown as checks_unknown,
    counts.maintenance as checks_maintenance,
    (select count(*) from incidents where is_open) as open_incidents,
    (
        select count(distinct check_key) from slo_status
        where is_breached and period in ('7d', '30d')
    ) as breached_targets,
    (select count(*) from dataset_freshness where is_stale) as stale_sources,
    (
        select count(*) from query_regressions where verdict = 'regressed'
    ) as regressed_queries,
    counts.last_heartbeat_at,
    last_run.started_at as last_run_at,
    last_run.status as last_run_status,
    last_run.first_error as last_run_error,
    -- Data older than this is too old: three rounds of the schedule, from one
    -- hour up to a night's run with two hours to spare.
    cast(
        least(greatest(coalesce(3 * rhythm.gap_s, 93600), 3600), 93600) as bigint
    ) as stale_after_s,
from counts
cross join rhythm
left join worst on true
left join last_run on true
