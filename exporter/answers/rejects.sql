-- One row per range, dataset and reason, of the 12 most frequent: its rejects.
with sums as (
    select
        period,
        dataset,
        reason,
        cast(sum(records) as bigint) as records,
        max(date_partition) as last_day,
    from rejected
    inner join ranges
        on
            date_partition > cast(getvariable('as_of') as date) - days
            and date_partition <= cast(getvariable('as_of') as date)
    group by all
)

select *
from sums
qualify row_number() over (
    partition by period order by records desc, dataset, reason
) <= 12
order by
    list_position(['24h', '7d', '30d', '90d', 'all'], period),
    records desc, dataset, reason
