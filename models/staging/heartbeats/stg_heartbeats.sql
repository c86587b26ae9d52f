select
    filename,
    landed.at as reported_at,
    case upper({{ without_mark('status_text') }})
        when 'HEALTHY' then 'ok'
        when 'WARNINGS' then 'warn'
        when 'CRITICAL' then 'error'
        else 'unknown'
    end as status,
    {{ to_bigint("regexp_extract(trim(duration_text), '(?i)^(.*)ms$', 1)") }}
        as duration_ms,
    fields,
    check_groups,
    raw,
    problem as reject_reason,
    day,
from {{ source('landing', 'heartbeats') }} as landed
