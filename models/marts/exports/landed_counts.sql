-- The sizes are those of the files that are published by then.
-- depends_on: {{ ref('ops_atomic') }}, {{ ref('heartbeat_checks') }}
-- depends_on: {{ ref('query_perf') }}, {{ ref('query_patterns') }}
-- depends_on: {{ ref('query_texts') }}
-- depends_on: {{ ref('index_advisor') }}, {{ ref('advisor_reports') }}
-- depends_on: {{ ref('optimization_summary') }}, {{ ref('report_checks') }}
select
    source_name as source,
    dataset,
    landed_records as landed,
    published_records as published,
    duplicate_records as duplicates,
    rejected_records as rejected,
    input_files as files,
    source_bytes,
    parquet_bytes,
    day as date_partition,
    landing_source,
    outcome,
from {{ ref('int_landed_counts') }}
