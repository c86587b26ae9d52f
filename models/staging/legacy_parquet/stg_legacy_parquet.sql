{%- set cells = {
    'filename': {'type': 'varchar', 'required': true},
    'status': {'type': 'varchar', 'required': true, 'as': 'status_text'},
    'duration_ms': {'type': 'bigint'},
} -%}
{%- set checks = ['redis_status', 'database_status', 'api_status'] -%}
{%- set agents = ['launchagent_optimizer', 'launchagent_digest'] -%}

with

type_cells as (

    select
        *,
        {{ type_cells(cells) }},
        {{ without_mark('status') }} as status_word,
        {%- for column in checks + agents %}
            {{ without_mark(column) }} as {{ column }}_word,
        {%- endfor %}
    from {{ source('landing', 'legacy_parquet') }}

),

type_rows as (

    select
        dataset,
        {{ typed_cells(cells) }},
        type_cells.at as reported_at,
        status_word,
        {%- for check in checks %}
            {{ told_status(check, check ~ '_word') }} as {{ check }},
        {%- endfor %}
        {%- for agent in agents %}
            if(
                lower({{ agent }}_word) = 'loaded',
                'ok',
                {{ told_status(agent, agent ~ '_word') }}
            ) as {{ agent }},
        {%- endfor %}
        source_file,
        version,
        line_number,
        raw,
        coalesce(
            {{ reject_reason(cells) }},
            if(
                lower({{ filled('report_type') }}) != 'heartbeat',
                'report_type is not heartbeat',
                null
            )
        ) as reject_reason,
        day,
    from type_cells

)

select
    dataset,
    filename,
    reported_at,
    coalesce(
        nullif({{ heartbeat_status('status_word') }}, 'unknown'),
        {{ told_status('status_text', 'status_word') }}
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
