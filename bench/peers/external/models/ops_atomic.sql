{{ config(
    materialized='external',
    location=env_var('BENCH_OUT') ~ '/ops_atomic',
    options={'partition_by': 'date_partition', 'compression': 'snappy',
        'write_partition_columns': true},
) }}
from read_json(
    '{{ env_var("BENCH_OUT") }}/ops_atomic.ndjson',
    columns = {
        'filename': 'varchar', 'report_type': 'varchar', 'timestamp': 'timestamp',
        'status': 'varchar', 'duration_ms': 'bigint', 'redis_status': 'varchar',
        'database_status': 'varchar', 'api_status': 'varchar',
        'launchagent_optimizer': 'varchar', 'launchagent_digest': 'varchar',
        'date_partition': 'date'
    }
)
order by date_partition, "timestamp"
