-- One row per query or pattern with a verdict, what got slower first.
select
    kind, query_key, verdict, p95_before_ms, p95_after_ms, ratio,
    executions_before, executions_after,
from query_regressions
order by
    list_position(
        ['regressed', 'improved', 'new', 'gone', 'stable', 'too_few'], verdict
    ),
    if(verdict = 'improved', 1 / ratio, ratio) desc nulls last, kind, query_key
