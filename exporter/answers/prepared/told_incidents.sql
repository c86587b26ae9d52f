-- Incidents, and which of them are gaps of under a minute between heartbeats: these
-- are counted, and not told one by one.
select
    *,
    check_key = 'monitor' and not is_open and duration_s < 60 as is_short_gap,
from incidents
