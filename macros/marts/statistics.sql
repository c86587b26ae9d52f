{#- A percentile between the two nearest values, as DOUBLE; over all rows of a
    group, or of the window that is given. -#}
{%- macro quantile(value, fraction, over=none) -%}
{{ adapter.dispatch('quantile', 'ops_atomic')(value, fraction, over) }}
{%- endmacro -%}

{%- macro default__quantile(value, fraction, over=none) -%}
quantile_cont(cast({{ value }} as double), {{ fraction }})
{%- if over %} over ({{ over }}){% endif %}
{%- endmacro -%}

{%- macro spark__quantile(value, fraction, over=none) -%}
percentile(cast({{ value }} as double), {{ fraction }})
{%- if over %} over ({{ over }}){% endif %}
{%- endmacro -%}


{#- The same of rows that have a `place`, from 1 on in the order of `value`, among
    `places`: where an aggregate would hold each value of all groups in memory, a
    window sorts them on the disk. -#}
{%- macro quantile_of_places(value, place, places, fraction) -%}
{%- set before -%}
cast({{ fraction }} as double) * ({{ places }} - 1)
{%- endset -%}
sum(
    cast({{ value }} as double)
    * case {{ place }} - 1 - floor({{ before }})
        when 0 then 1 - ({{ before }} - floor({{ before }}))
        when 1 then {{ before }} - floor({{ before }})
        else 0e0
    end
)
{%- endmacro -%}


{%- macro median_of(value, over=none) -%}
{{ quantile(value, 0.5, over) }}
{%- endmacro -%}


{#- The last value that is not NULL, in the order of the window. -#}
{%- macro last_known(value, over) -%}
{{ adapter.dispatch('last_known', 'ops_atomic')(value, over) }}
{%- endmacro -%}

{%- macro default__last_known(value, over) -%}
last_value({{ value }} ignore nulls) over ({{ over }})
{%- endmacro -%}

{%- macro spark__last_known(value, over) -%}
last_value({{ value }}) ignore nulls over ({{ over }})
{%- endmacro -%}


{#- A sum that is the same whatever the order of the rows: DOUBLEs are added up
    from the least on. In Spark it may differ in its last digits. -#}
{%- macro ordered_sum(value) -%}
{{ adapter.dispatch('ordered_sum', 'ops_atomic')(value) }}
{%- endmacro -%}

{%- macro default__ordered_sum(value) -%}
sum({{ value }} order by {{ value }})
{%- endmacro -%}

{%- macro spark__ordered_sum(value) -%}
sum({{ value }})
{%- endmacro -%}


{#- A SELECT of the same sum for each group of a relation, as `total_ms`, whose rows
    have a `place`, from 1 on in the order of `value`, among `executions`. An
    aggregate holds each value of a group in memory: so it is given some at a time,
    and before them what the ones before came to. -#}
{%- macro total_of_places(relation, keys, value) -%}
{{ adapter.dispatch('total_of_places', 'ops_atomic')(relation, keys, value) }}
{%- endmacro -%}

{%- macro default__total_of_places(relation, keys, value) -%}
{%- set at_once = 50000 -%}
with recursive

add_up as (

    select
        {%- for key in keys %}
        {{ key }},
        {%- endfor %}
        1 as slices,
        max(executions) as executions,
        sum({{ value }} order by {{ value }}) as total_ms
    from {{ relation }}
    where place <= {{ at_once }}
    group by {{ keys | join(', ') }}
    union all
    select
        {%- for key in keys %}
        {{ key }},
        {%- endfor %}
        max(slices) + 1 as slices,
        max(executions) as executions,
        sum(total_ms order by place) as total_ms
    from (
        select
            {%- for key in keys %}
            {{ key }},
            {%- endfor %}
            slices,
            executions,
            0 as place,
            total_ms
        from add_up
        where executions > slices * {{ at_once }}
        union all
        select
            {%- for key in keys %}
            {{ key }},
            {%- endfor %}
            0 as slices,
            executions,
            place,
            {{ value }} as total_ms
        from {{ relation }}
        where
            place > (select max(slices) from add_up) * {{ at_once }}
            and place <= (select max(slices) + 1 from add_up) * {{ at_once }}
    )
    group by {{ keys | join(', ') }}

)

select
    {%- for key in keys %}
    {{ key }},
    {%- endfor %}
    total_ms
from add_up
where executions <= slices * {{ at_once }}
{%- endmacro -%}

{%- macro spark__total_of_places(relation, keys, value) -%}
select
    {%- for key in keys %}
    {{ key }},
    {%- endfor %}
    sum({{ value }}) as total_ms
from {{ relation }}
group by {{ keys | join(', ') }}
{%- endmacro -%}
