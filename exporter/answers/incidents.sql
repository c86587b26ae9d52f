-- One row per incident, the open ones first, then the newest.
select
    check_key,
    started_at,
    ended_at,
    is_open,
    duration_s,
    heartbeats_down,
    cause,
from incidents
order by is_open desc, started_at desc, check_key
