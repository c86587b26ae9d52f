{#- Landed cells are text. These macros check the text before they cast it,
    because DuckDB's own casts are generous: '1.5'::bigint is 2, 1_000 and 0x10
    are integers, 1e400 is infinite and '…+07:00'::timestamp drops the offset.
    A staging model declares its cells once: `type_cells` types them, `typed_cells`
    makes columns of them, `reject_reason` says which of them cannot be typed. -#}

{%- macro filled(cell) -%}
nullif(trim({{ cell }}), '')
{%- endmacro -%}


{%- macro to_bigint(cell) -%}
case
    when regexp_full_match({{ cell }}, ' *[+-]?[0-9]+([.]0+)? *')
        then try_cast(split_part({{ cell }}, '.', 1) as bigint)
end
{%- endmacro -%}


{#- A fraction is rounded to the nearest DOUBLE, but not to nothing; nor is a
    whole number, of which not all are a DOUBLE from 2^53 on. -0 is 0. -#}
{%- macro to_double(cell) -%}
{%- set decimal = '[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]+)?' -%}
{%- set number -%} try_cast({{ cell }} as double) {%- endset -%}
case
    when not regexp_full_match({{ cell }}, ' *{{ decimal }} *') then null
    when {{ number }} = 0
        then if(regexp_matches({{ cell }}, '^[^eE]*[1-9]'), null, 0)
    when abs({{ number }}) < 9007199254740992 then {{ number }}
    when try_cast({{ cell }} as hugeint) = try_cast({{ number }} as hugeint)
        then {{ number }}
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


{%- macro to_json(cell) -%}
case when json_valid({{ cell }}) then {{ cell }}::json end
{%- endmacro -%}


{%- macro typed_cell(name, type) -%}
{%- if type == 'varchar' -%} {{ filled(name) }}
{%- elif type == 'bigint' -%} {{ to_bigint(name) }}
{%- elif type == 'double' -%} {{ to_double(name) }}
{%- elif type == 'boolean' -%} {{ to_boolean(name) }}
{%- elif type == 'timestamp' -%} {{ utc_timestamp(name) }}
{%- elif type == 'json' -%} {{ to_json(name) }}
{%- else -%}
{{ exceptions.raise_compiler_error(name ~ ': there is no type ' ~ type) }}
{%- endif -%}
{%- endmacro -%}


{#- Stands in a CTE before the other two, so that the SQL says only once how a cell
    is typed. -#}
{%- macro type_cells(cells) -%}
{%- for name, cell in cells.items() -%}
{%- for key in cell if key not in ('type', 'as', 'required', 'or_null') -%}
{{ exceptions.raise_compiler_error(name ~ ': a cell has no ' ~ key) }}
{%- endfor -%}
{{ typed_cell(name, cell.get('type')) }} as typed_{{ name }}
{%- if not loop.last %},
        {% endif -%}
{%- endfor -%}
{%- endmacro -%}


{%- macro typed_cells(cells) -%}
{%- for name, cell in cells.items() -%}
typed_{{ name }} as {{ cell.get('as', name) }}
{%- if not loop.last %},
    {% endif -%}
{%- endfor -%}
{%- endmacro -%}


{%- macro reject_reason(cells) -%}
{%- set other_names = {'timestamp': 'a time', 'json': 'JSON'} -%}
case
    when problem is not null then problem
    {%- for name, cell in cells.items() if cell.get('required') %}
    when {{ filled(name) }} is null then '{{ name }} is empty'
    {%- endfor %}
    {%- for name, cell in cells.items()
        if cell.type != 'varchar' and not cell.get('or_null') %}
    {%- set wanted = other_names.get(cell.type, 'a ' ~ cell.type | upper) %}
    when typed_{{ name }} is null and {{ filled(name) }} is not null
        then '{{ name }} is not {{ wanted }}'
    {%- endfor %}
end
{%- endmacro -%}
