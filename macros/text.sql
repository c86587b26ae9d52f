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
