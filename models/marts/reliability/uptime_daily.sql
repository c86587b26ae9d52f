with

sum_states as (

    select
        machine,
        check_key,
        date_partition,
        cast(sum(heartbeats) as bigint) as heartbeats,
        {{ ordered_sum(
            "case when state = 'up' then duration_s else 0e0 end"
        ) }} as up_s,
        {{ ordered_sum(
            "case when state = 'degraded' then duration_s else 0e0 end"
        ) }} as degraded_s,
        {{ ordered_sum(
            "case when state = 'down' then duration_s else 0e0 end"
        ) }} as down_s,
        {{ ordered_sum(
            "case when state = 'unknown' then duration_s else 0e0 end"
        ) }} as unknown_s,
        {{ ordered_sum(
            "case when state = 'maintenance' then duration_s else 0e0 end"
        ) }} as maintenance_s
    from {{ ref('check_states') }}
    group by machine, check_key, date_partition

)

select
    machine,
    check_key,
    date_partition,
    heartbeats,
    up_s,
    degraded_s,
    down_s,
    unknown_s,
    maintenance_s,
    (up_s + degraded_s) / nullif(up_s + degraded_s + down_s, 0)
        as uptime_observed,
    (up_s + degraded_s) / nullif(up_s + degraded_s + down_s + unknown_s, 0)
        as uptime_strict,
    1e0 - unknown_s / nullif(up_s + degraded_s + down_s + unknown_s, 0)
        as coverage
from sum_states
where {{ is_made() }}
