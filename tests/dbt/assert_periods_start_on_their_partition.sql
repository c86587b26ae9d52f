-- A week's figures stand under its Monday, all others under their own day.
select
    period,
    period_start,
    date_partition,
    source_file,
from {{ ref('query_patterns') }}
where
    period_start != date_partition
    or (period = 'weekly' and isodow(period_start) != 1)
