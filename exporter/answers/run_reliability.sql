-- One row per period: how many runs went well.
select
    period, runs, successful_runs, success_rate, last_run_at, last_success_at,
from run_reliability
order by period desc
