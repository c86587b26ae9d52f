{{ config(severity='warn') }}

select
    source,
    kind,
    name,
    min(date_partition) as first_date,
    max(date_partition) as last_date,
    count(*) as files,
from {{ ref('schema_drift') }}
group by source, kind, name
