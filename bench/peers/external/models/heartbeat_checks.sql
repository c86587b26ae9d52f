{{ config(
    materialized='external',
    location=env_var('BENCH_OUT') ~ '/heartbeat_checks',
    options={'partition_by': 'date_partition', 'compression': 'snappy',
        'write_partition_columns': true},
) }}
from read_json(
    '{{ env_var("BENCH_OUT") }}/heartbeat_checks.ndjson',
    columns = {
        'filename': 'varchar', 'timestamp': 'timestamp', 'check_group': 'varchar',
        'check_name': 'varchar', 'status': 'varchar', 'message': 'varchar',
        'date_partition': 'date'
    }
)
order by date_partition, "timestamp"
