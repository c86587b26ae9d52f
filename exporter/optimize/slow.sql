-- Queries of the last days that are slow: figures are means of the days', each
-- weighed by its executions.
with

sum_days as (

    select
        query_hash,
        sum(executions) as samples,
        sum(p50_ms * executions) / sum(executions) as p50_ms,
        sum(p95_ms * executions) / sum(executions) as p95_ms,
        sum(p99_ms * executions) / sum(executions) as p99_ms,
    from query_perf_daily
    where
        date_partition > $today::date - $days::integer
        and date_partition <= $today::date
    group by query_hash

),

take_texts as (

    select
        query_hash,
        arg_max(query_text, last_seen) as query_text,
    from query_texts
    group by query_hash

)

select
    query_text,
    samples,
    p50_ms,
    p95_ms,
    p99_ms,
from sum_days
inner join take_texts using (query_hash)
where
    samples >= $min_samples
    and p95_ms > $slow_ms
order by p95_ms * samples desc, query_text
limit 200
