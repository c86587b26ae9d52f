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


{#- What the Status line of a heartbeat says. -#}
{%- macro heartbeat_status(text) -%}
case upper({{ without_mark(text) }})
        when 'HEALTHY' then 'ok'
        when 'WARNINGS' then 'warn'
        when 'CRITICAL' then 'error'
        else 'unknown'
    end
{%- endmacro -%}


{#- A status that another program wrote: one of the five words, with or without
    a mark, else what its mark says; NULL where there is none. -#}
{%- macro told_status(text) -%}
case
        when {{ filled(text) }} is null then null
        when lower({{ without_mark(text) }})
            in ('ok', 'warn', 'error', 'skipped', 'unknown')
            then lower({{ without_mark(text) }})
        else {{ check_status(text) }}
    end
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


{#- A mark counts before a word: `⚠️ LIMITED`. Of a service that is asked for its
    state, every state but running is one in which it does not run. -#}
{%- macro report_check_status(report_type, said, exit_code) -%}
{%- set word -%} lower(coalesce({{ without_mark(said) }}, '')) {%- endset -%}
case
        when
            regexp_matches({{ said }}, '^\s*⏭')
            or {{ word }} in ('skip', 'skipped')
            then 'skipped'
        when regexp_matches({{ said }}, '^\s*✅') then 'ok'
        when regexp_matches({{ said }}, '^\s*⚠') then 'warn'
        when regexp_matches({{ said }}, '^\s*❌') then 'error'
        when {{ word }} in ('pass', 'passed', 'ok', 'running') then 'ok'
        when {{ word }} in ('fail', 'failed', 'error') then 'error'
        when {{ word }} in ('warn', 'warning') then 'warn'
        when {{ to_bigint(exit_code) }} != 0 then 'error'
        when {{ report_type }} = 'mcp_health' and {{ word }} != '' then 'warn'
        else 'unknown'
    end
{%- endmacro -%}
