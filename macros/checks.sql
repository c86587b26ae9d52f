{#- A mark is the symbol that a status or a check's text starts with, with the
    modifiers that may follow it (variation selectors, skin tones, joiners). -#}
{%- macro mark_pattern() -%}
{#- Blocks, because a quoted string of Jinja would swallow the backslashes. -#}
{%- set symbol -%} [\p{So}\x{2190}-\x{2BFF}] {%- endset -%}
{%- set modifier -%} [\x{FE0E}\x{FE0F}\x{1F3FB}-\x{1F3FF}] {%- endset -%}
{{ symbol }}{{ modifier }}*(\x{200D}{{ symbol }}{{ modifier }}*)*
{%- endmacro -%}


{#- What \s stands for in a pattern. -#}
{%- macro white_space() -%}
e' \t\n\f\r'
{%- endmacro -%}


{%- macro without_mark(text) -%}
nullif(
        trim(
            regexp_replace({{ text }}, '^\s*{{ mark_pattern() }}', ''),
            {{ white_space() }}
        ),
        ''
    )
{%- endmacro -%}


{#- What the Status line of a heartbeat says. -#}
{%- macro heartbeat_status(word) -%}
case upper({{ word }})
        when 'HEALTHY' then 'ok'
        when 'WARNINGS' then 'warn'
        when 'CRITICAL' then 'error'
        else 'unknown'
    end
{%- endmacro -%}


{#- A status that another program wrote: one of the five words, with or without
    a mark, else what its mark says; NULL where there is none. -#}
{%- macro told_status(text, word) -%}
case
        when {{ filled(text) }} is null then null
        when lower({{ word }}) in ('ok', 'warn', 'error', 'skipped', 'unknown')
            then lower({{ word }})
        else {{ check_status(text, word) }}
    end
{%- endmacro -%}


{%- macro check_status(text, word) -%}
case
        when starts_with({{ word }}, 'Skipped') then 'skipped'
        else coalesce({{ mark_status(text) }}, 'unknown')
    end
{%- endmacro -%}


{%- macro mark_status(text) -%}
case {{ first_symbol(text) }}
        when '✅' then 'ok'
        when '⚠' then 'warn'
        when '❌' then 'error'
    end
{%- endmacro -%}


{%- macro first_symbol(text) -%}
left(ltrim({{ text }}, {{ white_space() }}), 1)
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


{#- A mark counts before a word: `⚠️ LIMITED`. Of a service that is asked for its
    state, every state but running is one in which it does not run. -#}
{%- macro report_check_status(report_type, text, word, exit_code) -%}
case
        when {{ first_symbol(text) }} = '⏭' or {{ word }} in ('skip', 'skipped')
            then 'skipped'
        else coalesce(
            {{ mark_status(text) }},
            case
                when {{ word }} in ('pass', 'passed', 'ok', 'running') then 'ok'
                when {{ word }} in ('fail', 'failed', 'error') then 'error'
                when {{ word }} in ('warn', 'warning') then 'warn'
                when {{ to_bigint(exit_code) }} != 0 then 'error'
                when {{ report_type }} = 'mcp_health' and {{ word }} != ''
                    then 'warn'
                else 'unknown'
            end
        )
    end
{%- endmacro -%}
