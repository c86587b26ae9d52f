{#- Which days of a daily mart are made: all, unless the publisher says which. Its
    inputs show the days then that these are made from. -#}
{%- macro is_made(column='date_partition') -%}
{{ adapter.dispatch('is_made', 'ops_atomic')(column) }}
{%- endmacro -%}

{%- macro default__is_made(column) -%}
coalesce(list_contains(cast(getvariable('publishing_days') as date[]), {{ column }}), true)
{%- endmacro -%}

{%- macro spark__is_made(column) -%}
coalesce(array_contains(publishing_days, {{ column }}), true)
{%- endmacro -%}


{#- The last day that is to be made, NULL where nothing says so. -#}
{%- macro last_made_day() -%}
{{ adapter.dispatch('last_made_day', 'ops_atomic')() }}
{%- endmacro -%}

{#- Of a fleet's machines each has its own, which its last heartbeats show. -#}
{%- macro default__last_made_day() -%}
{%- if target.name in ('fleet', 'spark') -%}
cast(null as date)
{%- else -%}
list_max(cast(getvariable('publishing_days') as date[]))
{%- endif -%}
{%- endmacro -%}

{%- macro spark__last_made_day() -%}
cast(null as date)
{%- endmacro -%}


{#- Whether a row's day is no older than anomalies and forecasts look back. -#}
{%- macro within_history() -%}
date_partition >= {{ add_days(
    'cast(' ~ as_of() ~ ' as date)', -var('history_days')
) }}
{%- endmacro -%}


{#- Of a table's records: the last one's time and day, up to the present moment, and
    whether others of the present day are still to come. -#}
{%- macro heard_by_now() -%}
{%- set today = 'cast(' ~ as_of() ~ ' as date)' -%}
max(case when timestamp <= {{ as_of() }} then timestamp end) as last_record_at,
        max(case when timestamp <= {{ as_of() }} then date_partition end)
            as heard_on,
        max(
            case
                when timestamp > {{ as_of() }} and date_partition = {{ today }}
                    then 1
                else 0
            end
        ) as is_later_today
{%- endmacro -%}


{#- Rows of a VALUES: a grain, and each of some steps back in seconds. -#}
{%- macro steps_back(grain, step_s, steps) -%}
{%- for number in range(1, steps + 1) -%}
('{{ grain }}', {{ number * step_s }}){{ ',
        ' if not loop.last }}
{%- endfor -%}
{%- endmacro -%}
