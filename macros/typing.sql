{#- Landed cells are text. These macros check the text before they cast it,
    because DuckDB's own casts are generous: '1.5'::bigint is 2, 1_000 and 0x10
    are integers, 1e400 is infinite and '…+07:00'::timestamp drops the offset.
    They use no dbt context, so that tests can render them alone. -#}

{%- macro filled(cell) -%}
nullif(trim({{ cell }}), '')
{%- endmacro -%}


{%- macro to_bigint(cell) -%}
case
    when regexp_full_match({{ cell }}, ' *[+-]?[0-9]+([.]0+)? *')
        then try_cast(split_part({{ cell }}, '.', 1) as bigint)
end
{%- endmacro -%}


{%- macro to_double(cell) -%}
{%- set decimal = '[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]+)?' -%}
case
    when
        isfinite(try_cast({{ cell }} as double))
        and regexp_full_match({{ cell }}, ' *{{ decimal }} *')
        then try_cast({{ cell }} as double)
end
{%- endmacro -%}


{%- macro to_boolean(cell) -%}
case
    when lower({{ filled(cell) }}) in ('true', 't', 'yes', '1') then true
    when lower({{ filled(cell) }}) in ('false', 'f', 'no', '0') then false
end
{%- endmacro -%}


{%- macro utc_timestamp(cell) -%}
{%- set date = '[0-9]{4}-[0-9]{2}-[0-9]{2}' -%}
{%- set time = '[T ]([01][0-9]|2[0-3]):[0-5][0-9]'
    ~ '(:[0-5][0-9]([.][0-9]{1,6}0*)?)?' -%}
{%- set offset = '[+-]([01][0-9]|2[0-3])(:?[0-5][0-9])?' -%}
case
    when regexp_full_match({{ cell }}, ' *{{ date }}({{ time }}Z?)? *')
        then {{ in_calendar("try_cast(" ~ cell ~ " as timestamp)") }}
    when regexp_full_match({{ cell }}, ' *{{ date ~ time ~ offset }} *')
        then {{ in_calendar(local_time_less_offset("trim(" ~ cell ~ ")")) }}
end
{%- endmacro -%}


{#- Years that other tools can hold, too. -#}
{%- macro in_calendar(time) -%}
if(year({{ time }}) between 1 and 9999, {{ time }}, null)
{%- endmacro -%}


{%- macro local_time_less_offset(cell) -%}
{#- After YYYY-MM-DDTHH:MM the offset's sign is the only one. -#}
{%- set offset -%} regexp_extract(substr({{ cell }}, 17), '[+-].*') {%- endset -%}
{%- set digits -%} replace(substr({{ offset }}, 2), ':', '') {%- endset -%}
try_cast(regexp_extract({{ cell }}, '^.{10}[T ][0-9:.]+') as timestamp)
            - if(starts_with({{ offset }}, '-'), -1, 1) * (
                to_hours(try_cast(left({{ digits }}, 2) as bigint))
                + to_minutes(
                    try_cast(rpad(substr({{ digits }}, 3), 2, '0') as bigint)
                )
            )
{%- endmacro -%}


{#- Cells are typed in the same select, so that DuckDB types each only once. -#}
{%- macro reject_reason(problem='problem', required=[], typed={}) -%}
{%- set type_of = {
    'BIGINT': (to_bigint, 'is not a BIGINT'),
    'DOUBLE': (to_double, 'is not a DOUBLE'),
    'BOOLEAN': (to_boolean, 'is not a BOOLEAN'),
    'TIMESTAMP': (utc_timestamp, 'is not a time'),
} -%}
case
    when {{ problem }} is not null then {{ problem }}
    {%- for cell in required %}
    when {{ filled(cell) }} is null then '{{ cell }} is empty'
    {%- endfor %}
    {%- for cell, type in typed.items() %}
    when {{ type_of[type][0](cell) }} is null and {{ filled(cell) }} is not null
        then '{{ cell }} {{ type_of[type][1] }}'
    {%- endfor %}
end
{%- endmacro -%}
