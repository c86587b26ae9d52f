select
    landed.at as reported_at,
    coalesce(report -> '$.recommendations[*]', []) as recommendations,
    coalesce(report -> '$.slow_queries[*]', []) as slow_queries,
    row_number() over (
        partition by day
        order by
            problem is null desc,
            landed.at desc,
            landed.source_file desc,
            report desc
    ) = 1 as is_last_of_day,
    -- Once landed without its folder.
    case
        when contains(landed.source_file, '/') then landed.source_file
        when json_exists(report, '$.slow_queries')
            then 'g/reports/' || landed.source_file
        else 'knowledge/optimize/' || landed.source_file
    end as source_file,
    raw,
    problem as reject_reason,
    day,
from {{ source('landing', 'index_advisor') }} as landed
