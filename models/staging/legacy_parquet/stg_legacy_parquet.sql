{%- set cells = {
    'filename': {'type': 'varchar', 'required': true},
    'status': {'type': 'varchar', 'required': true, 'as': 'status_text'},
    'duration_ms': {'type': 'bigint'},
} -%}
{%- set checks = ['redis_status', 'database_status', 'api_status'] -%}
{%- set agents = ['launchagent_optimizer', 'launchagent_digest'] -%}

with

read_rows as (

    select
        *,
        {{ reject_reason(cells) }} as reason,
    from {{ source('landing', 'legacy_parquet') }}

),

type_rows as (

    select
        dataset,
        {{ typed_cells(cells) }},
        read_rows.at as reported_at,
        {%- for check in checks %}
            {{ told_status(check) }} as {{ check }},
        {%- endfor %}
        {%- for agent in agents %}
            if(
                lower({{ without_mark(agent) }}) = 'loaded',
                'ok',
                {{ told_status(agent) }}
            ) as {{ agent }},
        {%- endfor %}
        source_file,
        version,
        line_number,
        raw,
        coalesce(
            reason,
            if(
                lower({{ filled('report_type') }}) != 'heartbeat',
                'report_type is not heartbeat',
                null
            )
        ) as reject_reason,
        day,
    from read_rows

)

select
    dataset,
    filename,
    reported_at,
    coalesce(
        nullif({{ heartbeat_status('status_text') }}, 'unknown'),
        {{ told_status('status_text') }}
    ) as status,
    duration_ms,
    {%- for column in checks + agents %}
        {{ column }},
    {%- endfor %}
    source_file,
    version,
    line_number,
    raw,
    reject_reason,
    day,
from type_rows
