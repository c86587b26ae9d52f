-- One row per range: how many incidents ended in it or are open.
select
    period,
    count(*) filter (where not is_short_gap) as incidents,
    count(*) filter (where is_short_gap) as short_gaps,
from ranges
left join told_incidents
    on
        is_open
        or ended_at is null
        or ended_at >= getvariable('as_of') - to_days(days)
group by period
order by list_position(['24h', '7d', '30d', '90d', 'all'], period)
