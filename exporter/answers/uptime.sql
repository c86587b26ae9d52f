-- One row per check and stretch of time: the seconds that it was in each state.
-- The last 24 hours by the hour, 7 days by six hours, 90 days by the day, all by
-- the week, or by the month where that is more than two years.
with bounds as (
    select
        getvariable('as_of') as as_of,
        min(started_at) as first_at,
        if(
            min(started_at) < getvariable('as_of') - interval 104 weeks,
            'month', 'week'
        ) as long_grain,
    from timeline
),

buckets as (
    select
        'hour' as grain,
        unnest(generate_series(
            date_trunc('hour', as_of - interval 23 hours), as_of, interval 1 hour
        )) as started_at,
        interval 1 hour as width,
    from bounds
    union all
    select
        'six_hours',
        unnest(generate_series(
            time_bucket(
                interval 6 hours, as_of - interval 162 hours,
                timestamp '2000-01-01'
            ),
            as_of, interval 6 hours
        )),
        interval 6 hours,
    from bounds
),

short_rows as (
    select
        check_key,
        grain,
        buckets.started_at,
        least(buckets.started_at + width, getvariable('as_of')) as ended_at,
        state,
        epoch(least(timeline.ended_at, buckets.started_at + width))
        - epoch(greatest(timeline.started_at, buckets.started_at)) as seconds,
    from timeline
    inner join buckets
        on
            timeline.started_at < buckets.started_at + width
            and timeline.ended_at > buckets.started_at
    where timeline.ended_at > getvariable('as_of') - interval 8 days
),

days as (
    select
        check_key,
        cast(started_at as date) as day,
        state,
        sum(epoch(ended_at) - epoch(started_at)) as seconds,
    from (
        -- Only what is reckoned here, after the last heartbeat, goes over days.
        select
            check_key,
            state,
            unnest(generate_series(
                date_trunc('day', started_at),
                ended_at - interval 1 microsecond,
                interval 1 day
            )) as day_at,
            greatest(started_at, day_at) as started_at,
            least(ended_at, day_at + interval 1 day) as ended_at,
        from timeline
        where ended_at > started_at
    )
    group by all
),

long_rows as (
    select
        check_key,
        'day' as grain,
        cast(day as timestamp) as started_at,
        least(day + interval 1 day, getvariable('as_of')) as ended_at,
        state,
        seconds,
    from days
    where day > cast(getvariable('as_of') as date) - 90
    union all
    select
        check_key,
        long_grain,
        cast(date_trunc(long_grain, day) as timestamp) as bucket_at,
        least(
            bucket_at + if(long_grain = 'week', interval 1 week, interval 1 month),
            as_of
        ),
        state,
        seconds,
    from days
    cross join bounds
),

counted as (
    select
        check_key,
        grain,
        started_at,
        ended_at,
        coalesce(sum(seconds) filter (where state = 'up'), 0) as up_s,
        coalesce(sum(seconds) filter (where state = 'degraded'), 0) as degraded_s,
        coalesce(sum(seconds) filter (where state = 'down'), 0) as down_s,
        coalesce(sum(seconds) filter (where state = 'unknown'), 0) as unknown_s,
        coalesce(sum(seconds) filter (where state = 'maintenance'), 0)
            as maintenance_s,
    from (select * from short_rows union all select * from long_rows)
    where seconds > 0
    group by all
)

select
    check_key,
    grain,
    started_at,
    ended_at,
    up_s,
    degraded_s,
    down_s,
    unknown_s,
    maintenance_s,
    round(
        (up_s + degraded_s) / nullif(up_s + degraded_s + down_s, 0), 6
    ) as uptime_observed,
from counted
order by grain, check_key, started_at
