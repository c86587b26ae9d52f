{#- One row per day and rule of a contract that its rows break. The rules stand
    in the yml of a mart: not_null and check constraints, and `key` and
    `accepted_values` under meta. One scan for all of them, two more for the key. -#}
{%- macro contract_violations(
    relation, not_null, accepted_values, key, checks={}, day='date_partition'
) -%}
{%- set rules = [] -%}
{%- for name in not_null -%}
    {%- do rules.append((name ~ ' is NULL', '"' ~ name ~ '" is null')) -%}
{%- endfor -%}
{%- for name, values in accepted_values.items() -%}
    {%- do rules.append((
        name ~ ' is not an accepted value',
        '"' ~ name ~ "\" not in ('" ~ values | join("', '") ~ "')",
    )) -%}
{%- endfor -%}
{%- for name, condition in checks.items() -%}
    {%- do rules.append(('not so: ' ~ name, 'not (' ~ condition ~ ')')) -%}
{%- endfor -%}
with

count_broken_rules as (

    select
        {{ day }},
        {%- for rule, condition in rules %}
        count(*) filter ({{ condition }}) as "{{ rule }}",
        {%- endfor %}
    from {{ relation }}
    group by {{ day }}

),

list_broken_rules as (

    unpivot count_broken_rules
    on columns(* exclude ({{ day }}))
    into name rule value broken_rows

)
{%- if key %},

repeated_keys as (

    select "{{ key | join('", "') }}",
    from {{ relation }}
    group by "{{ key | join('", "') }}"
    having count(*) > 1

)
{%- endif %}

select
    {{ day }},
    rule,
    broken_rows,
from list_broken_rules
where broken_rows > 0
{%- if key %}
union all
select
    {{ day }},
    '{{ key | join(', ') }} is not unique' as rule,
    count(*) as broken_rows,
from {{ relation }} as published
semi join repeated_keys
    on
        {%- for name in key %}
        {{ 'and ' if not loop.first -}}
        published."{{ name }}" is not distinct from repeated_keys."{{ name }}"
        {%- endfor %}
group by {{ day }}
{%- endif %}
{%- endmacro -%}


{#- The rules of a mart's contract, as contract_violations takes them. -#}
{%- macro contract_rules(node) -%}
    {%- set not_null = [] -%}
    {%- set checks = {} -%}
    {%- for column in node.columns.values() -%}
        {%- for constraint in column.constraints -%}
            {%- if constraint.type == 'not_null' -%}
                {%- do not_null.append(column.name) -%}
            {%- elif constraint.type == 'check' -%}
                {%- do checks.update({constraint.name: constraint.expression}) -%}
            {%- endif -%}
        {%- endfor -%}
    {%- endfor -%}
    {%- set meta = node.config.meta -%}
    {{ return({
        'not_null': not_null,
        'accepted_values': meta.get('accepted_values', {}),
        'key': meta.get('key', []),
        'checks': checks,
    }) }}
{%- endmacro -%}
