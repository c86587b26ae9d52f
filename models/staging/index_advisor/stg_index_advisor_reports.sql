select
    landed.at as reported_at,
    coalesce(report -> '$.recommendations[*]', []) as recommendations,
    coalesce(report -> '$.slow_queries[*]', []) as slow_queries,
    row_number() over (
        partition by day
        order by
            problem is null desc,
            landed.at desc,
            source_file desc,
            report desc
    ) = 1 as is_last_of_day,
    source_file,
    raw,
    problem as reject_reason,
    day,
from {{ source('landing', 'index_advisor') }} as landed
