select
    regexp_extract(source_file, '^query_perf_(daily|weekly)_', 1) as period,
    {{ filled('pattern') }} as query_pattern,
    {{ to_bigint('samples') }} as samples,
    {{ to_double('avg_ms') }} as avg_ms,
    {{ to_double('p50_ms') }} as p50_ms,
    {{ to_double('p95_ms') }} as p95_ms,
    {{ to_double('p99_ms') }} as p99_ms,
    {{ to_boolean('slow_flag') }} as is_slow,
    source_file,
    regexp_extract(source_file, '^(.*)\.', 1) as report_name,
    source_file like '%.csv' as is_csv,
    line_number,
    coalesce(
        raw,
        {{ joined_cells([
            'pattern', 'samples', 'avg_ms', 'p50_ms', 'p95_ms', 'p99_ms',
            'slow_flag',
        ]) }}
    ) as raw,
    {{ reject_reason(
        required=['pattern'],
        typed={
            'samples': 'BIGINT',
            'avg_ms': 'DOUBLE',
            'p50_ms': 'DOUBLE',
            'p95_ms': 'DOUBLE',
            'p99_ms': 'DOUBLE',
            'slow_flag': 'BOOLEAN',
        },
    ) }} as reject_reason,
    day,
from {{ source('landing', 'query_patterns') }}
