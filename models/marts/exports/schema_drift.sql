select
    source_name as source,
    source_file,
    kind,
    column_name as name,
    day as date_partition,
from {{ ref('int_schema_drift') }}
