select
    "at" as reported_at,
    report,
    coalesce(report -> '$.recommendations[*]', []) as recommendations,
    coalesce(report -> '$.slow_queries[*]', []) as slow_queries,
    row_number() over (
        partition by day
        order by problem is null desc, "at" desc, source_file desc, report desc
    ) = 1 as is_last_of_day,
    source_file,
    raw,
    problem as reject_reason,
    day,
from {{ source('landing', 'index_advisor') }}
