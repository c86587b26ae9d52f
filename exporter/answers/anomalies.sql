-- One row per anomaly of the last 90 days, the newest first.
select
    metric, series, grain, observed_at, value, expected, robust_z,
from metric_anomalies
where is_anomaly and observed_at >= getvariable('as_of') - interval 90 days
order by observed_at desc, metric, series
