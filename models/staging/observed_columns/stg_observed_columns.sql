select
    source as source_name,
    source_file,
    name as column_name,
    day,
from {{ source('landing', 'observed_columns') }}
