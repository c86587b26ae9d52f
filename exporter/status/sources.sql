-- One row per source that is expected: when it was last heard of. Of the others no
-- record tells a time.
select
    source, dataset, last_record_at, allowed_age_s, last_day,
    coalesce(age_s = 0, false) and source not in (
        'heartbeats', 'query_rows', 'index_advisor', 'optimization_summary', 'telemetry'
    ) as was_now,
from dataset_freshness
order by source
