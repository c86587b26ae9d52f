{#- Which days of a daily mart are made, and from which days of its inputs. All
    of all, unless the vars `mart_days` (a list) and `mart_reads` (lists by the
    name of the input) say which. -#}

{%- macro is_day_of(column, days) -%}
{%- if days is none -%}
true
{%- elif not days -%}
false
{%- else -%}
{{ column }} in (
{%- for day in days -%}
date '{{ day }}'{{ ', ' if not loop.last }}
{%- endfor -%}
)
{%- endif -%}
{%- endmacro -%}


{%- macro is_made(column='date_partition') -%}
{{ is_day_of(column, var('mart_days', none)) }}
{%- endmacro -%}


{%- macro is_read(input, column='date_partition') -%}
{{ is_day_of(column, (var('mart_reads', none) or {}).get(input)) }}
{%- endmacro -%}


{#- The last day that is to be made, NULL where nothing says so. -#}
{%- macro last_made_day() -%}
{%- set days = var('mart_days', none) -%}
cast({{ "'" ~ (days | max) ~ "'" if days else 'null' }} as date)
{%- endmacro -%}


{#- Whether a row's day is no older than anomalies and forecasts look back. -#}
{%- macro within_history() -%}
date_partition >= {{ add_days(
    'cast(' ~ as_of() ~ ' as date)', -var('history_days')
) }}
{%- endmacro -%}


{#- Rows of a VALUES: a grain, and each of some steps back in seconds. -#}
{%- macro steps_back(grain, step_s, steps) -%}
{%- for number in range(1, steps + 1) -%}
('{{ grain }}', {{ number * step_s }}){{ ',
        ' if not loop.last }}
{%- endfor -%}
{%- endmacro -%}
