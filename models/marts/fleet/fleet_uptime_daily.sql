with

rank_machines as (

    select
        machine,
        check_key,
        date_partition,
        uptime_observed,
        row_number() over (
            partition by check_key, date_partition
            order by uptime_observed, machine
        ) as from_worst,
        row_number() over (
            partition by check_key, date_partition
            order by uptime_observed desc, machine asc
        ) as from_best
    from {{ ref('uptime_daily') }}
    where uptime_observed is not null and {{ is_made() }}

)

select
    check_key,
    date_partition,
    count(*) as machines,
    max(case when from_worst = 1 then machine end) as worst_machine,
    min(uptime_observed) as worst_uptime,
    {{ median_of('uptime_observed') }} as median_uptime,
    max(case when from_best = 1 then machine end) as best_machine,
    max(uptime_observed) as best_uptime
from rank_machines
group by check_key, date_partition
