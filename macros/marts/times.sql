{#- Reckoning with times: DuckDB and Spark have nothing in common here. -#}

{%- macro seconds_between(earlier, later) -%}
{{ adapter.dispatch('seconds_between', 'ops_atomic')(earlier, later) }}
{%- endmacro -%}

{%- macro default__seconds_between(earlier, later) -%}
(date_diff('microsecond', {{ earlier }}, {{ later }}) / 1e6)
{%- endmacro -%}

{%- macro spark__seconds_between(earlier, later) -%}
(timestampdiff(microsecond, {{ earlier }}, {{ later }}) / 1e6)
{%- endmacro -%}


{%- macro add_seconds(time, seconds) -%}
{{ adapter.dispatch('add_seconds', 'ops_atomic')(time, seconds) }}
{%- endmacro -%}

{%- macro default__add_seconds(time, seconds) -%}
({{ time }} + to_seconds({{ seconds }}))
{%- endmacro -%}

{%- macro spark__add_seconds(time, seconds) -%}
({{ time }} + make_dt_interval(0, 0, 0, {{ seconds }}))
{%- endmacro -%}


{%- macro days_between(earlier, later) -%}
{{ adapter.dispatch('days_between', 'ops_atomic')(earlier, later) }}
{%- endmacro -%}

{%- macro default__days_between(earlier, later) -%}
date_diff('day', {{ earlier }}, {{ later }})
{%- endmacro -%}

{%- macro spark__days_between(earlier, later) -%}
cast(datediff({{ later }}, {{ earlier }}) as bigint)
{%- endmacro -%}


{%- macro add_days(day, days) -%}
{{ adapter.dispatch('add_days', 'ops_atomic')(day, days) }}
{%- endmacro -%}

{%- macro default__add_days(day, days) -%}
cast({{ day }} + to_days(cast({{ days }} as integer)) as date)
{%- endmacro -%}

{%- macro spark__add_days(day, days) -%}
date_add({{ day }}, cast({{ days }} as int))
{%- endmacro -%}


{%- macro start_of(unit, time) -%}
{{ adapter.dispatch('start_of', 'ops_atomic')(unit, time) }}
{%- endmacro -%}

{%- macro default__start_of(unit, time) -%}
cast(date_trunc('{{ unit }}', {{ time }}) as timestamp)
{%- endmacro -%}

{%- macro spark__start_of(unit, time) -%}
cast(date_trunc('{{ unit }}', {{ time }}) as timestamp_ntz)
{%- endmacro -%}


{#- A column of a SELECT that makes a row of each day, both ends included. -#}
{%- macro each_day(first_day, last_day) -%}
{{ adapter.dispatch('each_day', 'ops_atomic')(first_day, last_day) }}
{%- endmacro -%}

{%- macro default__each_day(first_day, last_day) -%}
cast(
        unnest(
            generate_series(
                cast({{ first_day }} as timestamp),
                cast({{ last_day }} as timestamp),
                interval 1 day
            )
        ) as date
    )
{%- endmacro -%}

{%- macro spark__each_day(first_day, last_day) -%}
explode(
        case
            when {{ first_day }} <= {{ last_day }}
                then sequence({{ first_day }}, {{ last_day }}, interval 1 day)
        end
    )
{%- endmacro -%}
