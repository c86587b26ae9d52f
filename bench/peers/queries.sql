-- query_perf as the peers that speak SQL make it: CSV rows and log lines.
select
    "timestamp",
    query_hash,
    query_type,
    execution_time_ms,
    rows_examined,
    rows_returned,
    cache_hit,
    table_name,
    index_used,
    null::double as cpu_time_ms,
    null::double as io_wait_ms,
    strptime(
        regexp_extract(filename, '(\d{8})\.csv$', 1), '%Y%m%d'
    )::date as date_partition,
    parse_filename(filename) as source_file,
from read_csv(
    '$root/g/reports/query_perf_daily_*.csv',
    header = true,
    filename = true,
    -- Some have a column more. A line with a cell that is no number is left out.
    union_by_name = true,
    ignore_errors = true,
    types = {
        'timestamp': 'timestamp',
        'query_hash': 'varchar',
        'query_type': 'varchar',
        'execution_time_ms': 'double',
        'rows_examined': 'bigint',
        'rows_returned': 'bigint',
        'cache_hit': 'boolean',
        'table_name': 'varchar',
        'index_used': 'varchar'
    }
)
union all
select
    ts as "timestamp",
    left(md5(lower(trim(regexp_replace(query, '\s+', ' ', 'g')))), 12),
    if(
        upper(regexp_extract(trim(query), '^(\w+)', 1)) in (
            'SELECT', 'INSERT', 'UPDATE', 'DELETE', 'WITH', 'CREATE'
        ),
        upper(regexp_extract(trim(query), '^(\w+)', 1)),
        'SEARCH'
    ),
    timings.total_ms,
    null,
    resultcount,
    timings.cache_hit,
    null,
    null,
    null,
    null,
    ts::date,
    'query_perf.jsonl',
from read_json(
    '$root/g/reports/query_perf.jsonl',
    format = 'newline_delimited',
    columns = {
        'ts': 'timestamp',
        'query': 'varchar',
        'timings': 'struct(total_ms double, cache_hit boolean)',
        'resultCount': 'bigint'
    }
)
-- The published files leave out lines without a time, too.
where ts is not null
