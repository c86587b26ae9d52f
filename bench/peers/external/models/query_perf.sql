{{ config(
    materialized='external',
    location=env_var('BENCH_OUT') ~ '/query_perf',
    options={'partition_by': 'date_partition', 'compression': 'snappy',
        'write_partition_columns': true},
) }}
from (
    {{ env_var('BENCH_QUERY_PERF') }}
)
order by date_partition, "timestamp"
