-- What ran each day.
select
    filename, query_hash, date_partition, executions, total_ms, p95_ms, max_ms,
    rows_examined, rows_returned, day_p95_ms,
from query_perf_daily
