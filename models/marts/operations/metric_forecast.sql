{%- set today = 'cast(' ~ as_of() ~ ' as date)' -%}

with

pull_metrics as (

    select *
    from {{ ref('int_daily_metrics') }}
    where metric in ('stored_bytes', 'rows', 'query_total_ms', 'query_p95_ms')

),

origins as (

    select
        machine,
        metric,
        series,
        {{ add_days(today, -1) }} as origin,
        count(*) as days_of_history
    from pull_metrics
    group by machine, metric, series

),

fit_lines as (

    {{ robust_lines('pull_metrics', 'origins') | indent(4) }}

),

horizons as (

    select ahead.horizon_days
    from (values (30), (90), (365)) as ahead (horizon_days)

)

select
    origins.machine,
    origins.metric,
    origins.series,
    cast(horizons.horizon_days as bigint) as horizon_days,
    {{ add_days('origins.origin', 'horizons.horizon_days') }} as forecast_date,
    cast(origins.days_of_history as bigint) as days_of_history,
    lines.slope_per_day,
    case
        when lines.level is not null
            then {{ forecast_value('horizons.horizon_days', 0) }}
    end as forecast,
    case
        when lines.level is not null
            then {{ forecast_value('horizons.horizon_days', -1) }}
    end as lower_80,
    case
        when lines.level is not null
            then {{ forecast_value('horizons.horizon_days', 1) }}
    end as upper_80
from origins
cross join horizons
left join fit_lines as lines
    on
        origins.machine = lines.machine
        and origins.metric = lines.metric
        and origins.series = lines.series
