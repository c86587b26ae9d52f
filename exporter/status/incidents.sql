-- One row per incident that is open, in the order in which they began.
select check_key, started_at, duration_s, heartbeats_down, cause, is_open,
from incidents
where is_open
order by started_at, check_key != 'overall', check_key
