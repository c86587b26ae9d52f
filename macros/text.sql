{#- The line that a record was read from, where ingest did not need to keep it. -#}
{%- macro joined_cells(cells) -%}
concat_ws(
            ',',
            {%- for cell in cells %}
            coalesce({{ cell }}, ''){{ ',' if not loop.last }}
            {%- endfor %}
        )
{%- endmacro -%}


{%- macro snake_case(name) -%}
trim(
    lower(
        regexp_replace(
            regexp_replace({{ name }}, '([a-z0-9])([A-Z])', '\1_\2', 'g'),
            '[^\p{L}\p{N}]+', '_', 'g'
        )
    ),
    '_'
)
{%- endmacro -%}


{#- CREATE [UNIQUE] INDEX [IF NOT EXISTS] [schema.]name ON …, quoted or not. -#}
{%- macro created_index(statement) -%}
{%- set name -%} "(?:[^"]|"")+"|`[^`]+`|\[[^\]]+\]|[\w$]+ {%- endset -%}
{%- set create -%}
^\s*create\s+(?:unique\s+)?index\s+(?:concurrently\s+)?(?:if\s+not\s+exists\s+)?
{%- endset -%}
nullif(
            replace(
                regexp_replace(
                    regexp_extract(
                        {{ statement }},
                        '(?is){{ create }}(?:(?:{{ name }})\s*\.\s*)*({{ name }})\s*\bon\b',
                        1
                    ),
                    '^["`\[](.*)["`\]]$', '\1'
                ),
                '""', '"'
            ),
            ''
        )
{%- endmacro -%}
