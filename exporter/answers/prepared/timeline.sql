-- How each check was, span after span, up to the present moment: after the last
-- span of a check that still counts nothing is known.
with known_spans as (
    select
        check_key, state, started_at, ended_at, message, last_heartbeat_at,
        date_partition,
    from spans
    where started_at <= getvariable('as_of')
),

last_spans as (
    select check_key, max(ended_at) as ended_at
    from known_spans
    where date_partition = (select max(date_partition) from known_spans)
    group by all
)

select
    check_key, state, started_at,
    least(ended_at, getvariable('as_of')) as ended_at,
    message, last_heartbeat_at,
from known_spans
union all
select
    check_key, 'unknown', ended_at, getvariable('as_of'), null, null,
from last_spans
where ended_at < getvariable('as_of')
