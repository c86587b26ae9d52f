-- One row per column or key that came or went, the newest first.
select
    source,
    kind,
    name,
    min(date_partition) as first_day,
    max(date_partition) as last_day,
    count(distinct date_partition) as days,
from drifted
where date_partition <= cast(getvariable('as_of') as date)
group by all
order by last_day desc, source, kind, name
limit 100
