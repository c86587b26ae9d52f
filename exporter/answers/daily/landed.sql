-- What became of what was landed each day.
select
    filename,
    date_partition,
    cast(sum(landed) as bigint) as landed,
    cast(sum(published) as bigint) as published,
    cast(sum(duplicates) as bigint) as duplicates,
from data_quality_daily
group by all
