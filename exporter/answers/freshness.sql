-- One row per source that is expected: how old its last record is.
select
    source, dataset, status, is_stale, last_record_at, last_day, age_s,
    allowed_age_s,
from dataset_freshness
order by is_stale desc, status, source
