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
    is_short_gap,
from told_incidents
order by is_open desc, is_short_gap, started_at desc, check_key
