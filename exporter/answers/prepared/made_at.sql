-- The present moment that the marts were made for: NULL where they know no record.
select max(last_record_at + to_microseconds(round(age_s * 1e6)::bigint)) as made_at,
from dataset_freshness
