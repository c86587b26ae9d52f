-- One row per run of the last 30, the newest first.
select
    started_at, status, duration_s, command, started_by, landed_records,
    exported_files, failed_files, rejected_rows, warnings, errors, first_error,
from export_runs
order by started_at desc
limit 30
