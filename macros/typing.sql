{#- Landed cells are text. These macros check the text before they cast it,
    because DuckDB's own casts are generous: '1.5'::bigint is 2, 1_000 and 0x10
    are integers, 1e400 is infinite and '…+07:00'::timestamp drops the offset.
    They use no dbt context, so that tests can render them alone. -#}

{%- macro filled(cell) -%}
nullif(trim({{ cell }}, e' \t\r\n'), '')
{%- endmacro -%}


{%- macro to_bigint(cell) -%}
case
    when regexp_full_match({{ filled(cell) }}, '[+-]?[0-9]+([.]0+)?')
        then try_cast(split_part({{ filled(cell) }}, '.', 1) as bigint)
end
{%- endmacro -%}


{%- macro to_double(cell) -%}
{%- set decimal = '[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]+)?' -%}
case
    when
        regexp_full_match({{ filled(cell) }}, '{{ decimal }}')
        and isfinite(try_cast({{ filled(cell) }} as double))
        then try_cast({{ filled(cell) }} as double)
end
{%- endmacro -%}


{%- macro to_boolean(cell) -%}
case
    when lower({{ filled(cell) }}) in ('true', 't', 'yes', '1') then true
    when lower({{ filled(cell) }}) in ('false', 'f', 'no', '0') then false
end
{%- endmacro -%}


{%- macro utc_timestamp(cell) -%}
{%- set time = '([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9]([.][0-9]{1,6}0*)?)?' -%}
{%- set zone = '(Z|[+-]([01][0-9]|2[0-3])(:?[0-5][0-9])?)?' -%}
{%- set iso = '[0-9]{4}-[0-9]{2}-[0-9]{2}([T ]' ~ time ~ zone ~ ')?' -%}
{#- What follows YYYY-MM-DDTHH:MM can hold no other sign than the offset's. -#}
{%- set offset = "regexp_extract(substr(" ~ filled(cell) ~ ", 17), '[+-].*')" -%}
{%- set offset_digits = "rpad(regexp_replace(" ~ offset
    ~ ", '[^0-9]', '', 'g'), 4, '0')" -%}
{%- set local_time = "try_cast(regexp_extract(" ~ filled(cell)
    ~ ", '^.{10}([T ][0-9:.]+)?') as timestamp)" -%}
{%- set utc_time -%}
{{ local_time }} - if(starts_with({{ offset }}, '-'), -1, 1) * (
            to_hours(try_cast(left({{ offset_digits }}, 2) as bigint))
            + to_minutes(try_cast(right({{ offset_digits }}, 2) as bigint))
        )
{%- endset -%}
case
    when
        regexp_full_match({{ filled(cell) }}, '{{ iso }}')
        and year({{ utc_time }}) between 1 and 9999
        then {{ utc_time }}
end
{%- endmacro -%}


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
    when {{ filled(cell) }} is not null and {{ type_of[type][0](cell) }} is null
        then '{{ cell }} {{ type_of[type][1] }}'
    {%- endfor %}
end
{%- endmacro -%}
