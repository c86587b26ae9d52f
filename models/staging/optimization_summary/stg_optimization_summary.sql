select
    landed.at as occurred_at,
    {{ filled('event_type') }} as event_type,
    if(
        shape = 'metric',
        {{ snake_case('metric_name') }},
        {{ filled('metric_name') }}
    ) as metric_name,
    {{ to_double('metric_value') }} as metric_value,
    case when json_valid(metadata) then metadata::json end as metadata,
    source_file,
    line_number,
    raw,
    coalesce(
        {{ reject_reason(typed={'metric_value': 'DOUBLE'}) }},
        case when not json_valid(metadata) then 'metadata is not JSON' end
    ) as reject_reason,
    day,
from {{ source('landing', 'optimization_summary') }} as landed
