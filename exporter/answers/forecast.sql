-- One row per metric, series and horizon: where it leads, and how often such a
-- forecast was right.
with trust as (
    select
        metric, series, horizon_days,
        any_value(inside_share) as inside_share,
        count(*) as forecasts_checked,
    from forecast_backtest
    group by all
)

select
    metric, series, horizon_days, forecast_date, days_of_history, slope_per_day,
    forecast, lower_80, upper_80, inside_share,
    coalesce(forecasts_checked, 0) as forecasts_checked,
from metric_forecast
left join trust using (metric, series, horizon_days)
order by metric, series != 'all', series, horizon_days
