{#- Robust straight lines through series, as seen from some days.

    `series`: machine, metric, series, date_partition, value. `origins`: machine,
    metric, series, origin (the last day that is known).

    The slope is the median of the slopes between values half the history apart, a
    whole number of weeks where no day is missing: each value stands in at most
    one or two pairs, so the cost is that of one pass, a week's rhythm cancels
    out, and outliers move nothing. -#}
{%- macro robust_lines(series, origins) -%}
{%- set keys = ['machine', 'metric', 'series', 'origin'] -%}
with

pull_history as (

    select
        origins.machine,
        origins.metric,
        origins.series,
        origins.origin,
        history.value,
        {{ days_between('origins.origin', 'history.date_partition') }} as day,
        row_number() over (
            partition by
                origins.machine, origins.metric, origins.series, origins.origin
            order by history.date_partition
        ) as number,
        count(*) over (
            partition by
                origins.machine, origins.metric, origins.series, origins.origin
        ) as days_of_history
    from {{ origins }} as origins
    inner join {{ series }} as history
        on
            origins.machine = history.machine
            and origins.metric = history.metric
            and origins.series = history.series
            and origins.origin >= history.date_partition

),

long_histories as (

    select
        *,
        number + cast(floor(days_of_history / 14e0) * 7 as bigint)
            as pair_number
    from pull_history
    where days_of_history >= {{ var('forecast_least_days') }}

),

find_slopes as (

    select
        early.machine,
        early.metric,
        early.series,
        early.origin,
        (late.value - early.value) / (late.day - early.day) as slope
    from long_histories as early
    inner join long_histories as late
        on
            early.machine = late.machine
            and early.metric = late.metric
            and early.series = late.series
            and early.origin = late.origin
            and early.pair_number = late.number

),

median_slopes as (

    select
        {{ keys | join(',\n        ') }},
        {{ median_of('slope') }} as slope_per_day,
        count(*) as pairs
    from find_slopes
    group by {{ keys | join(', ') }}

),

spread_of_slopes as (

    select
        slopes.machine,
        slopes.metric,
        slopes.series,
        slopes.origin,
        {{ median_of('abs(slopes.slope - medians.slope_per_day)') }} as mad
    from find_slopes as slopes
    inner join median_slopes as medians using ({{ keys | join(', ') }})
    group by slopes.machine, slopes.metric, slopes.series, slopes.origin

),

find_residuals as (

    select
        history.machine,
        history.metric,
        history.series,
        history.origin,
        history.days_of_history,
        history.value - medians.slope_per_day * history.day as residual
    from long_histories as history
    inner join median_slopes as medians using ({{ keys | join(', ') }})

),

median_residuals as (

    select
        {{ keys | join(',\n        ') }},
        max(days_of_history) as days_of_history,
        {{ median_of('residual') }} as level
    from find_residuals
    group by {{ keys | join(', ') }}

),

spread_of_residuals as (

    select
        residuals.machine,
        residuals.metric,
        residuals.series,
        residuals.origin,
        {{ median_of('abs(residuals.residual - medians.level)') }} as mad
    from find_residuals as residuals
    inner join median_residuals as medians using ({{ keys | join(', ') }})
    group by
        residuals.machine, residuals.metric, residuals.series, residuals.origin

)

select
    {{ keys | join(',\n    ') }},
    medians.days_of_history,
    slopes.slope_per_day,
    medians.level,
    -- As of a normal distribution: a MAD of 1 is a deviation of 1.4826, and the
    -- median of n values is off by 1.2533 / sqrt(n) of it.
    1.4826e0 * spread.mad as value_deviation,
    1.4826e0 * 1.2533e0 * slope_spread.mad / sqrt(slopes.pairs)
        as slope_deviation
from median_residuals as medians
inner join median_slopes as slopes using ({{ keys | join(', ') }})
inner join spread_of_slopes as slope_spread using ({{ keys | join(', ') }})
inner join spread_of_residuals as spread using ({{ keys | join(', ') }})
{%- endmacro -%}


{#- Where the line of robust_lines stands `days` after its origin; `side` 0 is the
    line, -1 and 1 the ends of the interval that holds 80 of 100 values. Nothing
    that is forecast can be negative. -#}
{%- macro forecast_value(days, side) -%}
greatest(
        0e0,
        lines.level + lines.slope_per_day * {{ days }}
        {%- if side %}
        {{ '+' if side > 0 else '-' }} 1.2816e0 * sqrt(
            power(lines.value_deviation, 2)
            + power(
                lines.slope_deviation
                * ({{ days }} + lines.days_of_history / 2e0),
                2
            )
        )
        {%- endif %}
    )
{%- endmacro -%}
