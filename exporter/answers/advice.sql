-- One row per index that is or was advised, the open ones first.
select
    table_name, recommended_index, query_pattern, is_open, first_seen, last_seen,
    closed_at, reports, p95_before_ms, p95_after_ms, effect_ratio,
from index_advice_lifecycle
order by
    is_open desc, effect_ratio nulls last, last_seen desc, table_name,
    recommended_index
