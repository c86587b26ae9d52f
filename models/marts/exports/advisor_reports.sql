select
    reported_at as timestamp,
    source_file,
    len(recommendations) as recommendations,
    day as date_partition,
    'index_advisor' as landing_source,
    'published' as outcome,
from {{ ref('stg_index_advisor_reports') }}
-- One that cannot be read is a reject among the recommendations.
where reject_reason is null
