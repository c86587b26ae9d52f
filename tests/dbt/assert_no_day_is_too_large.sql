-- A file of more than 5 MB a day is not what these reports should come to.
{{ config(severity='warn') }}

-- depends_on: {{ ref('ops_atomic') }}, {{ ref('heartbeat_checks') }}
-- depends_on: {{ ref('query_perf') }}, {{ ref('query_patterns') }}
-- depends_on: {{ ref('index_advisor') }}, {{ ref('optimization_summary') }}
-- depends_on: {{ ref('advisor_reports') }}, {{ ref('query_texts') }}
-- depends_on: {{ ref('report_checks') }}, {{ ref('run_log') }}
-- depends_on: {{ ref('landed_counts') }}
-- depends_on: {{ ref('rejected_records') }}, {{ ref('schema_drift') }}

select
    path,
    parquet_bytes,
from {{ source('publishing', 'published_days') }}
where parquet_bytes > 5000000
