{%- set today = 'cast(' ~ as_of() ~ ' as date)' -%}

with

pull_metrics as (

    select *
    from {{ ref('int_daily_metrics') }}
    where metric in ('stored_bytes', 'rows', 'query_total_ms', 'query_p95_ms')

),

-- Every 30 days back from the last one whose truth is known.
horizons as (

    select
        horizons.horizon_days,
        {{ add_days(
            today, '-(1 + horizons.horizon_days + 30 * steps.step)'
        ) }} as origin
    from (values (30), (90), (365)) as horizons (horizon_days)
    cross join (
        values
        (0), (1), (2), (3), (4), (5), (6), (7), (8), (9), (10), (11)
    ) as steps (step)

),

list_series as (

    select distinct
        machine,
        metric,
        series
    from pull_metrics

),

origins as (

    select distinct
        series.machine,
        series.metric,
        series.series,
        horizons.origin
    from list_series as series
    cross join horizons

),

fit_lines as (

    {{ robust_lines('pull_metrics', 'origins') | indent(4) }}

),

compare as (

    select
        lines.machine,
        lines.metric,
        lines.series,
        horizons.horizon_days,
        lines.origin,
        lines.days_of_history,
        {{ forecast_value('horizons.horizon_days', 0) }} as forecast,
        {{ forecast_value('horizons.horizon_days', -1) }} as lower_80,
        {{ forecast_value('horizons.horizon_days', 1) }} as upper_80,
        truth.value as actual
    from fit_lines as lines
    inner join horizons on lines.origin = horizons.origin
    inner join pull_metrics as truth
        on
            lines.machine = truth.machine
            and lines.metric = truth.metric
            and lines.series = truth.series
            and truth.date_partition = {{ add_days(
                'lines.origin', 'horizons.horizon_days'
            ) }}

)

select
    machine,
    metric,
    series,
    cast(horizon_days as bigint) as horizon_days,
    origin as forecast_from,
    cast(days_of_history as bigint) as days_of_history,
    forecast,
    lower_80,
    upper_80,
    actual,
    actual between lower_80 and upper_80 as is_inside,
    avg(case when actual between lower_80 and upper_80 then 1e0 else 0e0 end)
        over (partition by machine, metric, series, horizon_days)
        as inside_share
from compare
