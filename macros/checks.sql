{#- A mark is the symbol that a status or a check's text starts with, with the
    modifiers that may follow it (variation selectors, skin tones, joiners). -#}
{%- macro mark_pattern() -%}
{#- Blocks, because a quoted string of Jinja would swallow the backslashes. -#}
{%- set symbol -%} [\p{So}\x{2190}-\x{2BFF}] {%- endset -%}
{%- set modifier -%} [\x{FE0E}\x{FE0F}\x{1F3FB}-\x{1F3FF}] {%- endset -%}
{{ symbol }}{{ modifier }}*(\x{200D}{{ symbol }}{{ modifier }}*)*
{%- endmacro -%}


{%- macro without_mark(text) -%}
nullif(
        trim(
            regexp_replace({{ text }}, '^\s*{{ mark_pattern() }}', ''),
            e' \t\r\n'
        ),
        ''
    )
{%- endmacro -%}


{%- macro check_status(text) -%}
case
        when regexp_matches({{ text }}, '^\s*({{ mark_pattern() }})?\s*Skipped')
            then 'skipped'
        when regexp_matches({{ text }}, '^\s*✅') then 'ok'
        when regexp_matches({{ text }}, '^\s*⚠') then 'warn'
        when regexp_matches({{ text }}, '^\s*❌') then 'error'
        else 'unknown'
    end
{%- endmacro -%}


{%- macro worst_status(status, condition) -%}
['ok', 'skipped', 'unknown', 'warn', 'error'][
            max(
                list_position(
                    ['ok', 'skipped', 'unknown', 'warn', 'error'], {{ status }}
                )
            ) filter ({{ condition }})
        ]
{%- endmacro -%}
