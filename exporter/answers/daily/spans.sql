-- The spans of each check.
select
    filename, check_key, state, started_at, ended_at, message, last_heartbeat_at,
    date_partition,
from check_states
