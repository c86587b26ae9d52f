select
    landed.at as measured_at,
    {{ filled('metric') }} as metric_name,
    {{ to_double('value') }} as metric_value,
    source_file,
    line_number,
    raw,
    {{ reject_reason(
        required=['metric'],
        typed={'value': 'DOUBLE'},
    ) }} as reject_reason,
    day,
from {{ source('landing', 'telemetry') }} as landed
