-- One row per source that is expected: when it was last heard of.
select
    source, dataset, last_record_at, allowed_age_s, last_day,
    coalesce(age_s = 0, false) as was_now,
from dataset_freshness
order by source
