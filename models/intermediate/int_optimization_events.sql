with

telemetry as (

    from {{ ref('stg_telemetry') }}

),

optimization_summary as (

    from {{ ref('stg_optimization_summary') }}

),

union_telemetry_and_summary as (

    select
        measured_at as occurred_at,
        'telemetry_rollup' as event_type,
        metric_name,
        metric_value,
        null::json as metadata,
        source_file,
        line_number,
        raw,
        reject_reason,
        day,
        'telemetry' as landing_source,
    from telemetry
    union all
    select
        occurred_at,
        event_type,
        metric_name,
        metric_value,
        metadata,
        source_file,
        line_number,
        raw,
        reject_reason,
        day,
        'optimization_summary' as landing_source,
    from optimization_summary

),

number_equal_events as (

    select
        *,
        row_number() over (
            partition by
                day, occurred_at, event_type, metric_name, metric_value,
                metadata, reject_reason is null
        ) as occurrence,
    from union_telemetry_and_summary

)

select
    * exclude (occurrence),
    case
        when reject_reason is not null then 'reject'
        when occurrence > 1 then 'duplicate'
        else 'published'
    end as outcome,
from number_equal_events
