-- What the catalogue holds beside a view per dataset and mart. Read by DuckDB 1.1
-- and later; columns without a comment here have that of the view they come from.

comment on macro as_of is
'The present moment, UTC: that of who asks, unless OPS_ATOMIC_AS_OF was set when this was written.';

-- to_days takes no BIGINT in DuckDB 1.1, and no fraction in any.
create macro span_of(days) as to_microseconds(cast(days * 86400000000 as bigint));

comment on macro span_of is
'So many days, maybe a part of one, as an interval.';

create view query_performance as
with texts as (
    select
        query_hash,
        max_by(query_text, last_seen) as query_text
    from query_texts
    group by query_hash
)

select
    queries.*,
    texts.query_text
from query_perf as queries
left join texts on queries.query_hash = texts.query_hash;

comment on view query_performance is
'One row per executed query, with its text where the query log has it.';

create view index_recommendations as
with last_said as (
    select
        table_name,
        recommended_index,
        max_by(priority, timestamp) as priority,
        max_by(estimated_speedup, timestamp) as estimated_speedup,
        max_by(reason, timestamp) as reason,
        max_by(sql, timestamp) as sql
    from index_advisor
    group by table_name, recommended_index
)

select
    advice.*,
    last_said.priority,
    last_said.estimated_speedup,
    last_said.reason,
    last_said.sql
from index_advice_lifecycle as advice
left join last_said
    on
        advice.table_name = last_said.table_name
        and advice.recommended_index
        is not distinct from last_said.recommended_index;

comment on view index_recommendations is
'One row per table and recommended index: since when it is advised, why, whether the advice is still open, and what it brought.';

create macro avg_query_time(days) as (
    select avg(execution_time_ms)
    from query_perf
    where
        timestamp > as_of() - span_of(days)
        and timestamp <= as_of()
        -- A file's day and its rows' may differ by some hours.
        and date_partition >= cast(as_of() - span_of(days + 1) as date)
);

comment on macro avg_query_time is
'Mean execution time in ms over so many days before the present moment; NULL when no query is known.';

create macro slow_queries(threshold_ms) as table
select *
from query_performance
where execution_time_ms >= threshold_ms
order by execution_time_ms desc, timestamp;

comment on macro table slow_queries is
'The executed queries that took at least so many ms, the slowest first.';

create macro uptime("check", days) as (
    with spans as (
        select
            state,
            epoch(least(ended_at, as_of()))
            - epoch(greatest(started_at, as_of() - span_of(days))) as seconds
        from check_states
        where
            check_key = "check"
            and date_partition >= cast(as_of() - span_of(days) as date)
            and ended_at > as_of() - span_of(days)
            and started_at < as_of()
    )

    select
        sum(case when state in ('up', 'degraded') then seconds else 0 end)
        / nullif(
            sum(case when state in ('up', 'degraded', 'down') then seconds else 0 end),
            0
        )
    from spans
);

comment on macro uptime is
'Share of the observed time that a check was up or degraded, 0 to 1, over so many days before the present moment; NULL when nothing was observed.';

create macro open_incidents() as table
select *
from incidents
where is_open
order by started_at, check_key;

comment on macro table open_incidents is
'The incidents that have not ended, the oldest first, as of the last run.';
