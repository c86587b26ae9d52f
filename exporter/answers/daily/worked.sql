-- What each table cost each day.
select
    filename,
    table_name,
    date_partition,
    cast(sum(executions) as bigint) as executions,
    sum(total_ms) as total_ms,
from workload_daily
group by all
