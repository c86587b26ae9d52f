-- One row per maintenance window that is on, to come, or was over in the last 7
-- days; the check `*` is all of them.
select check_key, started_at, ended_at, reason
from maintenance_windows
where coalesce(ended_at, getvariable('as_of')) > getvariable('as_of') - interval 7 days
order by started_at, check_key
