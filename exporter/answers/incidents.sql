-- One row per incident, the open ones first, then the newest; at the end the gaps
-- of under a minute between heartbeats, which must not crowd out the others.
select
    check_key,
    started_at,
    ended_at,
    is_open,
    duration_s,
    heartbeats_down,
    cause,
from incidents
order by
    is_open desc, not is_open and check_key = 'monitor' and duration_s < 60,
    started_at desc, check_key
